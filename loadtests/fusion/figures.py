"""Figures of fusing, restoring and enhancing, from the results of single people; pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loadtests.common.intervals import estimate

Result = Mapping[str, Any]
Results = Mapping[int, Result]
_EPSILON = 1e-6
Looks = Mapping[str, Mapping[str, float | None]]


def fusion_figures(results: Results) -> dict[str, Any]:
    """Returns what fusing does to likeness and quality: by itself, with the orchestrator's rule, peers'."""
    raw = changes(results, "candidate", "fused", "similarity")
    compared = {
        name: estimate(changes(results, "candidate", name, "similarity"))
        for name in ("five_points", "one_template")
    }
    # Peers fuse only the first few candidates of each person: held against our fusion of the same ones.
    same = estimate(changes(results, "candidate", "fused", "similarity", only_with="five_points"))
    return {
        "raise": estimate(raw),
        "raise_best": estimate(changes(results, "candidate", "fused", "best")),
        "raise_shipped": estimate(shipped_changes(results, "fuse", "similarity")),
        "raise_finished": estimate(changes(results, "candidate", "finished", "similarity")),
        "kept_share": estimate(
            {n: [float(s["is_kept"]) for s in _steps(r, "fuse")] for n, r in results.items()}
        ),
        "undone": _reasons(results, "fuse"),
        "quality_loss": worst_loss(changes(results, "candidate", "fused", "quality", relative=True)),
        "quality_loss_shipped": worst_loss(shipped_changes(results, "fuse", "quality", relative=True)),
        "losing_share": estimate(losing(changes(results, "candidate", "fused", "quality", relative=True))),
        "level": {
            "candidates": estimate(levels(results, "candidate")),
            "finished": estimate(levels(results, "finished")),
            "photos": estimate({number: result["photos"] for number, result in results.items()}),
        },
        "peers": compared,
        "ours_on_the_same": same,
    }


def levels(results: Results, name: str) -> dict[int, list[float]]:
    """Returns by person the judge's similarity of each candidate that shows one face."""
    found = {}
    for number, result in results.items():
        values = [look["similarity"] for look in _looks(result, name)]
        found[number] = [value for value in values if value is not None]
    return found


def changes(
    results: Results, before: str, after: str, what: str, *, relative: bool = False, only_with: str = ""
) -> dict[int, list[float]]:
    """Returns by person how much each candidate's measure changed from one picture to another.

    Candidates where one of the two was not measured are left out. relative: as a share of the one before.
    only_with: candidates that have this picture too.
    """
    found = {}
    for number, result in results.items():
        looks = [row["looks"] for row in result["candidates"] if not only_with or only_with in row["looks"]]
        found[number] = list(_pairs(looks, before, after, what, relative))
    return found


def shipped_changes(
    results: Results, step: str, what: str, *, relative: bool = False
) -> dict[int, list[float]]:
    """Returns by person how much a step changed each candidate; 0 where it was undone or not done."""
    return {
        number: [
            _change(one["before"][what], one["after"][what], relative) if one["is_kept"] else 0.0
            for one in _steps(result, step)
            if one["before"][what] is not None
        ]
        for number, result in results.items()
    }


def worst_loss(parts: Mapping[int, Sequence[float]]) -> float | None:
    """Returns the greatest loss as a positive number; 0 where there is none, None where nothing is known."""
    values = [value for known in parts.values() for value in known]
    # Rounded: a loss of exactly the limit, which the orchestrator lets pass, must not exceed it by a bit.
    return round(max(0.0, -min(values)), 6) if values else None


def losing(parts: Mapping[int, Sequence[float]], limit: float = 0.05) -> dict[int, list[float]]:
    """Returns by person and candidate 1 where more than *limit* was lost, else 0."""
    return {number: [float(value < -limit - _EPSILON) for value in known] for number, known in parts.items()}


def enhance_figures(results: Results) -> dict[str, Any]:
    """Returns what enhancing and upscaling change, and what they bring back of spoiled photos, in dB."""
    degraded: dict[str, dict[str, Any]] = {}
    for kind in next(iter(results.values()))["degraded"]:
        ways = next(iter(results.values()))["degraded"][kind]
        degraded[kind] = {
            way: estimate({n: [r["degraded"][kind][way]] for n, r in results.items()}) for way in ways
        }
    return {
        "similarity": estimate(_step_changes(results, "enhance", "similarity")),
        "quality": estimate(_step_changes(results, "enhance", "quality")),
        "similarity_shipped": estimate(shipped_changes(results, "enhance", "similarity")),
        "quality_shipped": estimate(shipped_changes(results, "enhance", "quality")),
        "undone": _reasons(results, "enhance"),
        "upscaled_similarity": estimate(changes(results, "finished", "upscaled", "similarity")),
        "upscaled_quality": estimate(changes(results, "finished", "upscaled", "quality")),
        "degraded_db": degraded,
    }


def restore_figures(results: Results) -> dict[str, Any]:
    """Returns what texture and marks change of likeness, how often they are undone, and marks a portrait."""
    return {
        step: {
            "similarity": estimate(_step_changes(results, step, "similarity")),
            "quality": estimate(_step_changes(results, step, "quality", relative=True)),
            "undone": _reasons(results, step),
            "marks": estimate({n: [float(s["marks"]) for s in _steps(r, step)] for n, r in results.items()}),
        }
        for step in ("restore_texture", "restore_marks")
    }


def delivered_figures(results: Results) -> dict[str, Any] | None:
    """Returns how many portraits the orchestrator returned, how like they are, and why there are fewer.

    None where it was asked for nobody.
    """
    known = {number: result["delivered"] for number, result in results.items() if result.get("delivered")}
    if not known:
        return None
    raw = levels({number: results[number] for number in known}, "candidate")
    returned = {n: [look["similarity"] for look in one["looks"]] for n, one in known.items()}
    return {
        "people": len(known),
        "returned_share": estimate({n: [len(one["looks"]) / one["asked"]] for n, one in known.items()}),
        "similarity": estimate({n: [v for v in values if v is not None] for n, values in returned.items()}),
        "similarity_of_candidates": estimate(raw),
        "candidates_made": estimate({n: [float(one["candidates"])] for n, one in known.items()}),
        "wall_s": estimate({n: [one["wall_s"]] for n, one in known.items()}),
        "notices": [f"{n}: {notice}" for n, one in known.items() for notice in one["notices"]],
        "errors": [f"{n}: {one['error']}" for n, one in known.items() if one["error"]],
    }


def _pairs(looks: Iterable[Looks], before: str, after: str, what: str, relative: bool) -> Iterable[float]:
    for known in looks:
        old, new = known.get(before, {}).get(what), known.get(after, {}).get(what)
        if old is not None and new is not None:
            yield _change(old, new, relative)


def _change(old: float, new: float, relative: bool) -> float:
    return (new - old) / max(abs(old), 1e-6) if relative else new - old


def _looks(result: Result, name: str) -> list[Mapping[str, float | None]]:
    return [row["looks"][name] for row in result["candidates"]]


def _steps(result: Result, step: str) -> list[dict[str, Any]]:
    return [one for row in result["candidates"] for one in row["steps"] if one["step"] == step]


def _step_changes(
    results: Results, step: str, what: str, *, relative: bool = False
) -> dict[int, list[float]]:
    """Changes by a step wherever it gave a picture, kept or not."""
    return {
        number: [
            _change(one["before"][what], one["after"][what], relative)
            for one in _steps(result, step)
            if one["after"] and one["before"][what] is not None and one["after"][what] is not None
        ]
        for number, result in results.items()
    }


def _reasons(results: Results, step: str) -> dict[str, int]:
    """How often a step was undone, by the first words of the reason."""
    counts: dict[str, int] = {}
    for result in results.values():
        for one in _steps(result, step):
            if one["problem"]:
                reason = one["problem"].partition(" (")[0]
                counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
