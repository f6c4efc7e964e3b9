"""The figures of a run, for the JSON report: each with its interval over people, None where not measured."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loadtests.common.intervals import estimate, mean_of_people
from loadtests.starter.changes import disruption, diversities, frechet_figure
from loadtests.starter.looks import Look
from loadtests.starter.measured import Measured, by_person
from loadtests.starter.measures.adherence import (
    NONE,
    WORN_PREFIX,
    Asked,
    Shares,
    adherence,
    differences,
    together,
)
from loadtests.starter.measures.distances import FeatureSpace
from loadtests.starter.measures.verification import Scores, accuracies, pair_shares, scores_of
from loadtests.starter.methods import TEXT, Method
from loadtests.starter.people import Character, strangers_of
from loadtests.starter.portraits import Shot
from loadtests.starter.prompts import FIXED, WORN

Values = dict[int, list[float]]
Details = dict[str, Any]


def method_figures(measured: Measured, method: Method, space: FeatureSpace) -> Details:
    """Returns all figures of one method."""
    shots = measured.of(method)
    shares = adherence((Asked(s.person, s.slot.prompt.expected, s.look) for s in shots), measured.readable)
    return {
        "title": method.title,
        "people": len({shot.person for shot in shots}),
        "portraits": len(shots),
        "detected": estimate(detections(shots)),
        "likeness": likeness(measured, [s for s in shots if s.slot.prompt == FIXED]),
        "likeness_of_edits": likeness(measured, [s for s in shots if s.slot.prompt != FIXED]),
        "adherence": {name: estimate(people) for name, people in shares.items()},
        "adherence_of_all": estimate(together(shares)),
        "under_text": under_text(measured, method, shares),
        "disruption": disruption(measured, method, space) if method.has_identity else None,
        "diversity": estimate(diversities(shots, space)),
        "frechet": frechet_figure(measured, shots, space),
    }


def likeness(measured: Measured, shots: Sequence[Shot]) -> Details:
    """Returns the similarity to the own person, and how well it tells the person from strangers."""
    scores = {
        number: _scores(measured.character(number), [s.look for s in own], measured.everybody)
        for number, own in by_person(shots).items()
    }
    return verification_figures(scores)


def ceiling(measured: Measured) -> Details:
    """Returns the same of the photos that are no references: what a perfect portrait would have."""
    people = {shot.person for shot in measured.shots}
    scores = {
        one.number: _scores(one, one.probes, measured.everybody)
        for one in measured.everybody
        if one.number in people and one.probes and one.template is not None
    }
    return verification_figures(scores)


def verification_figures(scores: Mapping[int, Scores]) -> Details:
    """Returns similarity, accuracy and share of pairs; None where there are no pairs to tell apart."""
    complete = [one for one in scores.values() if one.is_complete]
    return {
        "similarity": estimate({n: [v for v in one.own if v > -1] for n, one in scores.items()}),
        "similarity_to_strangers": estimate(
            {n: [v for v in one.strangers if v > -1] for n, one in scores.items()}
        ),
        "accuracy": estimate(accuracies(scores)) if len(complete) > 1 else None,
        "pair_share": estimate(pair_shares(scores)),
        "pairs": sum(len(one.strangers) for one in complete),
        "people_without_strangers": len(scores) - len(complete),
    }


def _scores(character: Character, looks: Iterable[Look], everybody: Sequence[Character]) -> Scores:
    assert character.template is not None, "people without a template are left out before"
    return scores_of([look.vector for look in looks], character.template, strangers_of(character, everybody))


def under_text(measured: Measured, method: Method, shares: Shares) -> Details:
    """Returns by how many points of 100 a method is over (below 0: under) plain text to image."""
    if method == TEXT:
        return {}
    numbers = {shot.person for shot in measured.of(method)}
    plain = [shot for shot in measured.of(TEXT) if shot.person in numbers]
    text = adherence((Asked(s.person, s.slot.prompt.expected, s.look) for s in plain), measured.readable)
    found = {name: estimate(differences(people, text.get(name, {}))) for name, people in shares.items()}
    return {**found, "all": estimate(differences(together(shares), together(text)))}


def reading_accuracy(measured: Measured) -> Details:
    """Returns the share of true renders of which each list is read right: the ceiling of adherence."""
    # It brings torch along, which takes seconds to load.
    from starter.train.scene import facing

    found: dict[str, Values] = {}
    for one in measured.everybody:
        for sample, look in zip(one.samples, one.looks, strict=True):
            truth = {
                **{key: str(value) for key, value in sample.attributes.items()},
                "expression": sample.expression,
                "background": sample.background,
                "clothes_color": sample.clothes["color"],
                "clothes_cut": sample.clothes["cut"],
                "facing": facing(sample.yaw_deg),
            }
            for name in measured.readable & truth.keys():
                read = look.words.get(name)
                found.setdefault(name, {}).setdefault(one.number, []).append(float(read == truth[name]))
                if name in WORN:
                    right = float(read is not None and (read == NONE) == (truth[name] == NONE))
                    found.setdefault(f"{WORN_PREFIX}{name}", {}).setdefault(one.number, []).append(right)
    return {name: mean_of_people(people).as_json() for name, people in sorted(found.items())}


def detections(shots: Sequence[Shot]) -> Values:
    """Returns by person 1 for each portrait in which face analysis finds a face, else 0."""
    return {number: [float(shot.look.faces > 0) for shot in own] for number, own in by_person(shots).items()}
