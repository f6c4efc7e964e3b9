"""The figures of a run as tables, for the page and for the documentation."""

from collections.abc import Mapping
from typing import Any

from loadtests.common.tables import Table, figure

Details = Mapping[str, Any]


def tables_of(details: Details) -> list[Table]:
    """Returns the tables of the sections that were measured."""
    made = {
        "fusion": fusion_table,
        "restore": restore_table,
        "marks": marks_table,
        "rank": rank_table,
        "gate": gate_table,
        "enhance": enhance_table,
        "delivered": delivered_table,
    }
    found = [make(details[name]) for name, make in made.items() if details.get(name)]
    if details.get("enhance"):
        found.append(degraded_table(details["enhance"]))
    return found


def fusion_table(fusion: Details) -> Table:
    """Returns what fusion changes."""
    peers, loss = fusion["peers"], fusion["quality_loss"]
    shipped = fusion["quality_loss_shipped"]
    rows = [
        ("every candidate fused", figure(fusion["raise"]), _percent(loss)),
        ("undone where it does harm, as shipped", figure(fusion["raise_shipped"]), _percent(shipped)),
        ("finished: texture, marks, enhancing too", figure(fusion["raise_finished"]), "–"),
        ("on the peers' candidates: ours", figure(fusion["ours_on_the_same"]), "–"),
        ("five points, no part map (as it was)", figure(peers["five_points"]), "–"),
        ("one template for all (FaceChain's choice)", figure(peers["one_template"]), "–"),
    ]
    names = {"candidates": "as generated", "finished": "finished", "photos": "further photos of the people"}
    rows += [
        (f"the similarity itself: {words}", figure(fusion["level"][name]), "–")
        for name, words in names.items()
    ]
    undone = ", ".join(f"{reason}: {count}" for reason, count in fusion["undone"].items()) or "none"
    kept = figure(fusion["kept_share"], 2)
    note = f"change of the mean similarity to all references; kept {kept}; undone: {undone}."
    return Table("Fusion", note, ("way", "similarity", "worst loss of quality"), tuple(rows))


def restore_table(restore: Details) -> Table:
    """Returns what texture and marks change."""
    names = {"restore_texture": "texture", "restore_marks": "marks"}
    rows = [
        (
            names[step],
            figure(found["similarity"]),
            figure(found["quality"]),
            figure(found["marks"], 1) if step == "restore_marks" else "–",
            str(sum(found["undone"].values())),
        )
        for step, found in restore.items()
    ]
    note = "changes by the step, kept or not; quality as a share of the one before."
    return Table(
        "Texture and marks", note, ("step", "similarity", "quality", "marks placed", "undone"), tuple(rows)
    )


def marks_table(marks: Details) -> Table:
    """Returns the figures of finding and placing marks."""
    rows = tuple((name, figure(value)) for name, value in marks.get("figures", {}).items())
    note = "characters drawn with and without their marks, so that the true place of each is known."
    return Table("Marks", note, ("what", "value"), rows)


def rank_table(rank: Details) -> Table:
    """Returns how good the first of the ranking is."""
    rows = [
        ("beats another candidate (share)", figure(rank["beats_random"])),
        ("the same of FaceChain's first", figure(rank["facechain_beats_random"])),
        ("over FaceChain's first (similarity)", figure(rank["over_facechain"])),
        ("over the mean candidate (similarity)", figure(rank["over_mean"])),
        ("under the best candidate by the judge (similarity)", figure(rank["under_best"])),
        ("rank correlation of score and judge within people", figure(rank["agreement"])),
        ("candidates that pass gate and checks (share)", figure(rank["accepted_share"])),
    ]
    without = f"people without any portrait: {rank['people_without']}"
    note = f"the first of our order, judged; gate {rank['gate']:.3f}; {without}."
    return Table("Ranking", note, ("what", "value"), tuple(rows))


def gate_table(gate: Details) -> Table:
    """Returns the gate's errors by number of references."""
    names = (
        "false_accepts_probes",
        "false_rejects_probes",
        "false_accepts_portraits",
        "false_rejects_portraits",
    )
    rows = []
    for count, found in gate.items():
        asked = found["calibrated_false_accepts"]
        cells = [figure(found.get(name), 4) for name in names]
        rows.append((count, f"{found['threshold']:.3f}", "–" if asked is None else f"{asked:.4f}", *cells))
    headings = ("references", "gate", "calibrated", "photos: false accepts", "rejects")
    note = (
        "on people that nothing was calibrated on; portraits are finished ones, whoever the generator drew."
    )
    return Table("Gate", note, (*headings, "portraits: false accepts", "rejects"), tuple(rows))


def enhance_table(enhance: Details) -> Table:
    """Returns what enhancing and upscaling change of portraits."""
    rows = [
        ("enhanced, kept or not", figure(enhance["similarity"]), figure(enhance["quality"])),
        (
            "undone where it does harm",
            figure(enhance["similarity_shipped"]),
            figure(enhance["quality_shipped"]),
        ),
        ("upscaled twice", figure(enhance["upscaled_similarity"]), figure(enhance["upscaled_quality"])),
    ]
    undone = ", ".join(f"{reason}: {count}" for reason, count in enhance["undone"].items()) or "none"
    note = f"changes of portraits; undone: {undone}."
    return Table("Enhancing and upscaling", note, ("step", "similarity", "quality"), tuple(rows))


def delivered_table(delivered: Details) -> Table:
    """Returns what the orchestrator hands out."""
    rows = [
        ("portraits returned (share of those asked for)", figure(delivered["returned_share"], 2)),
        ("their similarity, judged", figure(delivered["similarity"])),
        ("that of all candidates as generated", figure(delivered["similarity_of_candidates"])),
        ("candidates made", figure(delivered["candidates_made"], 1)),
        ("seconds from start to end", figure(delivered["wall_s"], 1)),
    ]
    told = "; ".join([*delivered["notices"], *delivered["errors"]]) or "nothing to tell"
    note = f"{delivered['people']} people through the orchestrator with its defaults; it told: {told}"
    return Table("Delivered", note, ("what", "value"), tuple(rows))


def degraded_table(enhance: Details) -> Table:
    """Returns PSNR of spoiled photos."""
    rows: list[tuple[str, str, str]] = []
    for kind, ways in enhance["degraded_db"].items():
        rows += [(kind, way, figure(value, 2)) for way, value in ways.items()]
    note = "PSNR to the clean photo in dB."
    return Table("Spoiled photos", note, ("damage", "then", "PSNR"), tuple(rows))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
