"""Why a bar is missed and what would move it, in figures of the run."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.reports import Bar

Known = Mapping[str, Any]


def explanations(known: Known, winner: dict[str, Any], bars: Sequence[Bar]) -> list[str]:
    """Returns a sentence or two for each bar that is missed."""
    costs = known.get(f"costs-{winner['backend']}")
    texts = {
        "images/s": _throughput(winner),
        "p95 at": _throughput(winner),
        "p95 until": _joining(winner, costs),
        "LoRA": _lora(costs),
        "changing": _changing(costs),
        "memory": _memory(known),
    }
    missed = [bar.name for bar in bars if not bar.met]
    return [f"- {name}: {text}" for name in missed for start, text in texts.items() if name.startswith(start)]


def _throughput(winner: dict[str, Any]) -> str:
    profile = winner["profile"]
    beside_ms = sum(profile["beside_ms"].values())
    return (
        f"UNet calls fill {profile['unet_share']:.0%} of the time with {profile['mean_rows']:.1f} rows on "
        f"average, and {beside_ms:.0f} ms of decoding and encoding per call run beside them on the same "
        "cores. "
        "A cheaper UNet call (precision, runtime) or a cheaper decoder moves it; the scheduler does not."
    )


def _joining(winner: dict[str, Any], costs: dict[str, Any] | None) -> str:
    if costs is None:
        return "not measured."
    prepare_ms, step_ms = 1000 * winner["split"]["prepare_s"], 1000 * costs["join"]["step_time_s"]
    return (
        "at worst a request waits for the rest of the call in flight and then takes its own, 2 step-times; "
        f"what is more is its preparation ({prepare_ms:.0f} ms on average, a step-time is {step_ms:.0f} ms): "
        "adapter look-up and text encoding beside a UNet that uses all cores."
    )


def _lora(costs: dict[str, Any] | None) -> str:
    if costs is None:
        return "not measured."
    lora = costs["lora"]
    share = 100 * (lora["no_adapters_ms"] / lora["merged_ms"] - 1)
    return (
        f"with no adapter in any row the operators alone cost {share:+.1f} %, with one adapter "
        f"{lora['identity_alone_percent']:+.1f} %, with two {lora['overhead_percent']:+.1f} %. They are many "
        "small products between the large ones, and sums that the runtime no longer fuses into those. Fewer "
        "of them (one product for query, key and value) would move it, and so does a wider UNet, where they "
        "weigh less."
    )


def _changing(costs: dict[str, Any] | None) -> str:
    if costs is None:
        return "not measured."
    swap = costs["swap"]
    return (
        f"look-up {swap['lookup_ms']:.2f} ms, new matrices in a call {swap['again_ms']:.2f} ms; the latter "
        "is copying, so smaller or half-precision matrices move it."
    )


def _memory(known: Known) -> str:
    samples = ", ".join(f"{sample:.0f}" for sample in known["memory"]["samples_mib"][::4])
    return f"MiB over the run: {samples}. A straight line is a leak, a flattening one is caches that fill."
