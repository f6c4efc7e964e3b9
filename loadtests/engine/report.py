"""Bars, tables and the plot of a run, made of the parts that were measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtests.engine.explain import explanations
from loadtests.engine.tables import (
    backends_table,
    call_table,
    costs_text,
    split_table,
    sweep_table,
    systems_table,
)
from loadtests.plots import COLOURS, figure
from shared.reports import Bar

GOAL_OVER_EAGER, GOAL_OVER_BEST = 3.0, 1.5
GOAL_P95_SHARE = 0.5
GOAL_JOIN_STEPS = 2.0
GOAL_LORA_PERCENT = 5.0
GOAL_SWAP_MS = 2.0
# Allocators breathe; a leak of 0.1 MB a picture would be 200 MB here.
GOAL_GROWTH_PERCENT = 2.0
COMMON_LOAD = 0.7

Known = Mapping[str, Any]


def command_of(is_quick: bool) -> str:
    """Returns what a reader types."""
    return "python -m loadtests.engine" + (" --quick" if is_quick else "")


def details_of(known: Known, failed: Mapping[str, int]) -> dict[str, Any]:
    """Returns all measurements with the winner's name and what is missing."""
    winner = winner_of(known)
    return {"winner": winner["backend"] if winner else None, "failed": dict(failed), **known}


def winner_of(known: Known) -> dict[str, Any] | None:
    """Returns the fastest of our backends; None if none was measured."""
    ours = [result for name, result in known.items() if name.startswith("likeness-")]
    return max(ours, key=lambda result: result["images_per_s"], default=None)


def bars(known: Known) -> list[Bar]:
    """Returns the bars that can be judged; one whose part is missing is left out."""
    found = []
    winner = winner_of(known)
    if winner is None:
        return []
    for part, name, goal in (
        ("eager", "images/s over diffusers fp32 eager", GOAL_OVER_EAGER),
        ("best", "images/s over diffusers at its best", GOAL_OVER_BEST),
    ):
        if part in known:
            found.append(Bar(name, winner["images_per_s"] / known[part]["images_per_s"], goal, ">="))
    if "eager" in known and "sweep" in known:
        own = next(point for point in known["sweep"]["points"] if point["load"] == COMMON_LOAD)
        rate_per_s = known["eager"]["common_rate_per_s"]
        theirs = next(point for point in known["eager"]["points"] if point["rate_per_s"] == rate_per_s)
        share = own["latency_s"]["p95"] / theirs["latency_s"]["p95"]
        found.append(Bar("p95 at 70 % of our capacity over that of fp32 eager", share, GOAL_P95_SHARE, "<="))
    found += _cost_bars(known.get(f"costs-{winner['backend']}"))
    if "memory" in known:
        count = known["memory"]["image_count"]
        found.append(
            Bar(
                f"memory growth over {count} pictures, %",
                known["memory"]["percent"],
                GOAL_GROWTH_PERCENT,
                "<=",
            )
        )
    return found


def _cost_bars(costs: dict[str, Any] | None) -> list[Bar]:
    if costs is None:
        return []
    steps, percent = costs["join"]["p95_steps"], costs["lora"]["overhead_percent"]
    return [
        Bar("p95 until a joining request's first step is done, in step-times", steps, GOAL_JOIN_STEPS, "<="),
        Bar("LoRA as data over merged weights at batch 8, %", percent, GOAL_LORA_PERCENT, "<="),
        Bar("changing among 64 adapters, ms a request", costs["swap"]["total_ms"], GOAL_SWAP_MS, "<="),
    ]


def markdown(details: Known) -> str:
    """Returns the tables for the documentation."""
    winner = winner_of(details)
    if winner is None:
        return "Nothing was measured."
    parts = ["Closed loop, 8 in flight:", systems_table(details, winner)]
    parts += ["Backends of the UNet:", backends_table(details)]
    parts += ["Open loop, Poisson arrivals:", sweep_table(details)]
    parts += ["Where a request's time goes (means, seconds):", split_table(details, winner)]
    parts += ["Where a UNet call's time goes:", call_table(winner)]
    parts += [costs_text(details)]
    if reasons := explanations(details, winner, bars(details)):
        parts += ["Why bars are missed, and what would move them:", "\n".join(reasons)]
    if details["failed"]:
        parts += [f"Failed, so missing above: {', '.join(details['failed'])}."]
    return "\n\n".join(parts)


def plot(details: Known, path: Path) -> None:
    """Draws p95 and throughput over the arrival rate, and the rows per UNet call."""
    drawing, ((latency, throughput, batches),) = figure(1, 3)
    lines = [("likeness", details.get("sweep")), ("diffusers fp32", details.get("eager"))]
    lines.append(("diffusers best", details.get("best")))
    for (name, part), colour in zip(lines, COLOURS, strict=False):
        points = part["points"] if part else []
        rates = [point["rate_per_s"] for point in points]
        style = {"color": colour, "marker": ".", "label": name}
        latency.plot(rates, [point["latency_s"]["p95"] for point in points], **style)
        throughput.plot(rates, [point["images_per_s"] for point in points], **style)
    latency.set(yscale="log", xlabel="requests/s", ylabel="p95 latency, s")
    throughput.set(xlabel="requests/s", ylabel="images/s")
    throughput.legend()
    winner = winner_of(details)
    if winner:
        rows = winner["profile"]["rows_per_call"]
        batches.bar([int(size) for size in rows], list(rows.values()), color=COLOURS[0])
    batches.set(xlabel="rows per UNet call", ylabel="calls")
    drawing.savefig(path)
