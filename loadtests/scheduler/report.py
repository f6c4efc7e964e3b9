"""Bars, tables and the plot of a sweep."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loadtests.markdown import table
from loadtests.plots import COLOURS, figure
from loadtests.scheduler.sweep import ENGINE, SYSTEMS
from shared.reports import Bar

ONE = "one at a time"
GOAL_GAIN = 2.5
# "About once": what batching per adapter may gain when no two requests share one.
GOAL_PER_ADAPTER = 1.1
Point = dict[str, Any]


def bars(points: Sequence[Point]) -> list[Bar]:
    """Returns what the scheduler is judged by: every request another identity, far past capacity."""
    load = max(point["load"] for point in points)
    single = throughput(points, ONE, "all different", load)
    gain = throughput(points, ENGINE, "all different", load) / single
    per_adapter = throughput(points, "per adapter", "all different", load) / single
    return [
        Bar("throughput over one at a time, all identities different", gain, GOAL_GAIN, ">="),
        Bar("the same of per-adapter batching (about 1 by its nature)", per_adapter, GOAL_PER_ADAPTER, "<="),
    ]


def throughput(points: Sequence[Point], system: str, identities: int | str, load: float) -> float:
    """Returns images per second of one point."""
    found = _find(points, system, identities, load)
    return float(found["images_per_s"])


def markdown(points: Sequence[Point]) -> str:
    """Returns two tables: throughput at saturation, and p99 below and past what one at a time can serve."""
    identities = list(dict.fromkeys(point["identities"] for point in points))
    load = max(point["load"] for point in points)
    gains = [
        [name]
        + [
            f"{throughput(points, name, kind, load) / throughput(points, ONE, kind, load):.2f}x"
            for kind in identities
        ]
        for name in SYSTEMS
    ]
    loads = sorted({point["load"] for point in points})
    waits = [
        [name] + [f"{_find(points, name, 'all different', one)['latency_s']['p99']:.1f}" for one in loads]
        for name in SYSTEMS
    ]
    return "\n".join(
        [
            f"Throughput over one at a time at {load:g} times its capacity, by number of identities:",
            "",
            table(["scheduler", *map(str, identities)], gains),
            "",
            "p99 latency in s, every request another identity, by load (1 = capacity of one at a time):",
            "",
            table(["scheduler", *(f"{one:g}" for one in loads)], waits),
        ]
    )


def plot(points: Sequence[Point], path: Path) -> None:
    """Draws throughput and p99 over the arrival rate, one column per number of identities."""
    identities = list(dict.fromkeys(point["identities"] for point in points))
    drawing, axes = figure(2, len(identities))
    for column, kind in enumerate(identities):
        for name in SYSTEMS:
            line = [point for point in points if (point["system"], point["identities"]) == (name, kind)]
            rates = [point["rate_per_s"] for point in line]
            style = {"label": name, "color": COLOURS[list(SYSTEMS).index(name)], "marker": "."}
            axes[0][column].plot(rates, [point["images_per_s"] for point in line], **style)
            axes[1][column].plot(rates, [point["latency_s"]["p99"] for point in line], **style)
        axes[0][column].set_title(f"identities: {kind}")
        axes[1][column].set_xlabel("requests/s")
        axes[1][column].set_yscale("log")
    axes[0][0].set_ylabel("images/s")
    axes[1][0].set_ylabel("p99 latency, s")
    axes[0][0].legend()
    drawing.savefig(path)


def _find(points: Sequence[Point], system: str, identities: int | str, load: float) -> Point:
    key = (system, identities, load)
    return next(point for point in points if (point["system"], point["identities"], point["load"]) == key)
