"""The figures of a run as tables, for the page and for the documentation."""

from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.common.tables import Figure, Table, figure
from loadtests.starter.measures.adherence import WORN_PREFIX
from loadtests.starter.prompts import LISTS

Details = Mapping[str, Any]
TRUE = "true photos (the ceiling)"


def tables_of(details: Details) -> list[Table]:
    """Returns the tables of what was measured."""
    found = []
    if details.get("methods"):
        found += [
            likeness_table(details),
            adherence_table(details),
            under_table(details),
            change_table(details),
        ]
    if details.get("pack"):
        found.append(pack_table(details["pack"]))
    if details.get("photographs"):
        found += [photograph_table(details["photographs"]), gap_table(details["photographs"])]
    return found


def likeness_table(details: Details) -> Table:
    """Returns similarity and verification by method, on the fixed prompt and on the edits."""
    rows = [(TRUE, *_likeness(details["ceiling"]), "–", "–")]
    for method in details["methods"].values():
        rows.append(
            (
                f"{method['title']} (people: {method['people']})",
                *_likeness(method["likeness"]),
                percent(method["likeness_of_edits"]["accuracy"]),
                percent(method["detected"]),
            )
        )
    headings = (
        "portraits",
        "similarity",
        "to strangers",
        "accuracy %",
        "pairs %",
        "accuracy of edits %",
        "face found %",
    )
    note = (
        "Fixed prompt. Similarity is the cosine to the mean of the references' embeddings. Accuracy: share "
        "of (portrait, person) pairs that a threshold tells right, own and strangers' ones weighing the "
        "same, the threshold chosen on other people, as in Labeled Faces in the Wild; strangers are all "
        "others of the same sex and age band. Pairs: share of strangers that a portrait is less like than "
        "its own person (the AUC). A portrait without a face tells nothing right."
    )
    return Table("Likeness", note, headings, tuple(rows))


def _likeness(known: Details) -> tuple[str, str, str, str]:
    return (
        figure(known["similarity"]),
        figure(known["similarity_to_strangers"]),
        percent(known["accuracy"]),
        percent(known["pair_share"]),
    )


def adherence_table(details: Details) -> Table:
    """Returns for each list and method the share of pictures that show what was asked for."""
    methods = details["methods"]
    rows = []
    for name in _lists(methods.values()):
        cells = [percent(method["adherence"].get(name)) for method in methods.values()]
        rows.append((name, percent(details["reading"].get(name)), *cells))
    overall = [percent(method["adherence_of_all"]) for method in methods.values()]
    rows.append(("all but worn", "–", *overall))
    note = (
        "Share of pictures, in %, of which the net reads the very word that the prompt asks for; a picture "
        "without a face shows nothing of the person. Renders: of how many true renders the net reads the "
        "right word, all words of its list; more than that it cannot say. Worn: whether there are any."
    )
    if details["unreadable"]:
        note += f" Not read, as no installed net knows the list: {', '.join(details['unreadable'])}."
    headings = ("list", "renders (the ceiling)", *(method["title"] for method in methods.values()))
    return Table("Prompt adherence", note, headings, tuple(rows))


def under_table(details: Details) -> Table:
    """Returns by how many points each method follows the prompt more than plain text to image."""
    methods = [method for method in details["methods"].values() if method["under_text"]]
    names = ["all", *(name for name in _lists(methods) if not name.startswith(WORN_PREFIX))]
    rows = [(name, *(figure(method["under_text"].get(name), 1) for method in methods)) for name in names]
    note = "Points of 100; below 0 the person costs adherence. Same people, prompts and seeds in both."
    headings = ("list", *(method["title"] for method in methods))
    return Table("Adherence against text to image", note, headings, tuple(rows))


def change_table(details: Details) -> Table:
    """Returns disruption, diversity and Fréchet distance by method."""
    rows = []
    for method in details["methods"].values():
        disruption = method["disruption"] or {}
        rows.append(
            (
                method["title"],
                figure(disruption.get("outside_percent"), 2),
                figure(disruption.get("feature_similarity")),
                figure(method["diversity"]),
                figure(method["frechet"]),
            )
        )
    note = (
        "Disruption: the picture with the person against that without, same prompt and seed. Outside: mean "
        "difference outside of head and hair in both, % of the range of values. Similarity stands where "
        f"published work has CLIP-I: cosine of the {details['features']} net's last features, less their "
        "mean over renders (1 the same, 0 unrelated). Diversity: 1 - the same between the pictures of one "
        "prompt. "
        f"Fréchet distance to held-out renders in {details['components']} principal components of these "
        "features, in shares of the renders' variance; comparable within this project only, and only "
        "between runs with the same prompts and net. Chance alone, one half of the renders against the "
        f"other: {figure(details['frechet_floor'])}."
    )
    headings = ("method", "outside %", "similarity", "diversity", "Fréchet")
    return Table("Disruption, diversity, distribution", note, headings, tuple(rows))


def pack_table(pack: Details) -> Table:
    """Returns figures of the autoencoder, the landmarks and the parser."""
    names = {"whole": "whole picture", "eyes": "eyes", "mouth": "mouth"}
    rows = [(f"autoencoder: {words}, dB", figure(pack["psnr_db"][name], 2)) for name, words in names.items()]
    rows.append(
        ("landmarks, error in % of the eye distance (measured)", figure(pack["landmarks_percent"], 2))
    )
    parser = pack["parser_mean_iou"]
    rows.append(("parser, mean IoU (its card's)", "–" if parser is None else f"{parser:.3f}"))
    note = (
        "On held-out renders; masks of eyes and mouth are the ground truth's, grown by a pixel. Landmarks go "
        "through face analysis, visible ones alone; the parser's figure is read off its card."
    )
    return Table("Autoencoder and structure", note, ("what", "value"), tuple(rows))


def photograph_table(photographs: Sequence[Details]) -> Table:
    """Returns what is read off photographs and off the portraits made of them."""
    rows = []
    for one in photographs:
        name = f"{one['name']} ({one['credit']})"
        if one["problem"]:
            rows.append((name, f"no portraits: {one['problem']}", "–"))
            continue
        rows.append((name, "photograph", _words(one["read"])))
        for method, made in one["portraits"].items():
            found = "; ".join(_words(words) if words["faces"] else "no face" for words in made)
            rows.append(("", method, found))
    note = (
        "Sex, age, skin and hair as the attribute net reads them, which was trained on renders: shown, not "
        "scored."
    )
    return Table("Photographs in", note, ("photograph", "picture", "read"), tuple(rows))


def gap_table(photographs: Sequence[Details]) -> Table:
    """Returns how far photographs' embeddings lie from renders'."""
    rows = []
    for one in photographs:
        for title, gap in one["gaps"].items():
            values = [
                f"{gap[key]:.2f}" for key in ("distance", "against_renders", "deviations", "mahalanobis")
            ]
            rows.append((f"{one['name']}, {title}", *values))
    note = (
        "Distance of a photograph's embedding to the mean of renders'; 1 in the last three columns is a "
        "typical render. Deviations: root mean square over the dimensions, in renders' standard deviations. "
        "The generator is sent the embedding as it is read; the metric of the gates is the one normalisation "
        "that the services have."
    )
    headings = ("embedding", "distance", "against a render's", "deviations", "Mahalanobis")
    return Table("Domain gap", note, headings, tuple(rows))


def percent(value: Figure) -> str:
    """Returns "85.1 [80.0, 90.2]" of a share, or a dash."""
    if value is None:
        return "–"
    return figure({**value, **{key: 100 * value[key] for key in ("value", "low", "high")}}, 1)


def _lists(methods: Any) -> list[str]:
    """Names of all lists: first those with a bar."""
    known = {name for method in methods for name in method["adherence"]}
    return [*(name for name in LISTS if name in known), *sorted(known - set(LISTS))]


def _words(read: Mapping[str, Any]) -> str:
    return f"{read.get('sex')}, {read.get('age')}, {read.get('skin')} skin, {read.get('hair_color')} hair"
