"""From faces of known people to a gate. Pure functions of embeddings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from shared.gates.bootstrap import PersonDraws
from shared.gates.gate import RATES, Gate, OperatingPoint
from shared.gates.points import points_of
from shared.gates.scores import Floats, Scores, scores_of

REFERENCE_COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64)
"""Numbers of references that a gate has points for; 64 is the most that a ranking takes."""

MIN_PERSONS = 8
"""Fewer people say nothing about how people differ."""

_MIN_ACCEPTED = 10


class TooLittleData(ValueError):
    """The faces do not suffice for the rate that was asked for; the text says what would."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a collection offers: people, pictures, comparisons of strangers with one reference each."""

    persons: int
    pictures: int
    comparisons: int

    @classmethod
    def of(cls, persons: npt.NDArray[np.integer]) -> Counted:
        """Counts of a collection; (N,) who each picture shows."""
        people = len(np.unique(persons))
        return cls(people, len(persons), len(persons) * max(people - 1, 0))


def comparisons_needed(rate: float) -> int:
    """Comparisons of strangers without which a rate is not calibrated: ten of them are to be let through.

    Ten events are known to about a third of themselves; Doddington's rule of 30 (Speech Communication 31,
    2000) asks for more than small collections have, and the intervals say what ten are worth.
    """
    return math.ceil(_MIN_ACCEPTED / rate - 1e-9)


def calibrate(
    rows: Floats,
    persons: npt.NDArray[np.integer],
    *,
    model: str,
    required_rate: float,
    rates: Sequence[float] = RATES,
    provenance: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Gate:
    """The gate of an embedder.

    Args:
        rows: (N, D) unit vectors, one per picture; their cosines are the similarities.
        persons: (N,) who each picture shows.
        model: the embedder's name.
        required_rate: the false-accept rate that the data must suffice for.
        rates: further rates, of which those are kept that the data suffice for.
        provenance: words for the file.
        seed: of the draws of references and of the intervals.

    Raises:
        TooLittleData: too few people, no second picture of two people, or too few comparisons.
    """
    counted = Counted.of(persons)
    require_enough(counted, required_rate)
    return calibrate_scores(
        list(scores_of(rows, persons, max(REFERENCE_COUNTS), seed=seed)),
        counted,
        model=model,
        required_rate=required_rate,
        rates=rates,
        provenance=provenance,
        seed=seed,
    )


def calibrate_scores(
    scores: Sequence[Scores],
    counted: Counted,
    *,
    model: str,
    required_rate: float,
    rates: Sequence[float] = RATES,
    provenance: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Gate:
    """`calibrate`, of scores with 1, 2, ... references that are there already.

    Raises:
        TooLittleData: as `calibrate`.
    """
    require_enough(counted, required_rate)
    wanted = sorted({required_rate, *rates}, reverse=True)
    kept = [rate for rate in wanted if counted.comparisons >= comparisons_needed(rate)]
    if not len(scores[0].own):
        raise TooLittleData("Nobody has two pictures, so that nobody can be turned away; add pictures.")
    points = points_of(scores, REFERENCE_COUNTS, kept, PersonDraws(counted.persons, seed=seed))
    return Gate(model, points, counted.persons, counted.pictures, dict(provenance or {}))


def require_enough(counted: Counted, rate: float) -> None:
    """Check that a collection suffices for a rate.

    Raises:
        TooLittleData: it does not.
    """
    if counted.persons < MIN_PERSONS:
        raise TooLittleData(
            f"{counted.persons} people are too few to say how people differ; {MIN_PERSONS} are needed."
        )
    needed = comparisons_needed(rate)
    if counted.comparisons >= needed:
        return
    each = counted.pictures / counted.persons
    # P people with k pictures give k P (P - 1) comparisons.
    people = math.ceil((1 + math.sqrt(1 + 4 * needed / each)) / 2)
    raise TooLittleData(
        f"A false-accept rate of {rate:g} takes {needed:,} comparisons of strangers, so that ten of them are "
        f"let through; {counted.persons} people with {each:.1f} pictures each give {counted.comparisons:,}. "
        f"Add people (about {people} with as many pictures), or ask for a larger rate."
    )


def measure(
    gate: Gate, rows: Floats, persons: npt.NDArray[np.integer], *, seed: int = 0
) -> tuple[OperatingPoint, ...]:
    """What a gate's thresholds do to other faces, for as many references as those have.

    Args:
        gate: thresholds; its own error rates are not looked at.
        rows: (N, D) unit vectors of the gate's embedder.
        persons: (N,) who each picture shows.
        seed: of the draws.
    """
    draws = PersonDraws(len(np.unique(persons)), seed=seed)
    most = max(point.references for point in gate.points)
    found = {s.references: s for s in scores_of(rows, persons, most, seed=seed) if len(s.own)}
    return tuple(
        _measured(point, found[point.references], draws) for point in gate.points if point.references in found
    )


def _measured(point: OperatingPoint, scores: Scores, draws: PersonDraws) -> OperatingPoint:
    accepted, accepted_interval = draws.accepted(scores, point.threshold)
    rejected, rejected_interval = draws.rejected(scores, point.threshold)
    return replace(
        point,
        false_accept_rate=accepted,
        false_accept_interval=accepted_interval,
        false_reject_rate=rejected,
        false_reject_interval=rejected_interval,
        is_bound=False,
    )
