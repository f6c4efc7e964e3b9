"""Markdown tables of a run of the engine's benchmark."""

from collections.abc import Mapping
from typing import Any

from loadtests.markdown import table

Known = Mapping[str, Any]
Result = dict[str, Any]


def systems_table(known: Known, winner: Result) -> str:
    """Returns the closed loop of our winner and of the baselines."""
    rows = [("likeness", winner)]
    rows += [(name, known[part]) for part, name in _BASELINES if part in known]
    return table(
        ["system", "images/s", "p50 s", "p95 s", "p99 s", "first step p50 s", "p95 s"],
        [[f"{name}: {result['description']}", *_figures(result)] for name, result in rows],
    )


def backends_table(known: Known) -> str:
    """Returns the closed loop of each of our backends, and how near its UNet calls come to the GEMM peak."""
    rows = []
    for name, result in known.items():
        if name.startswith("likeness-"):
            reached, share = _gemm(known, result)
            rows.append(
                [
                    result["description"],
                    f"{result['images_per_s']:.2f}",
                    f"{result['profile']['unet_ms']:.0f}",
                    f"{result['profile']['mean_rows']:.1f}",
                    f"{reached:.0f}",
                    f"{100 * share:.0f} %",
                ]
            )
    headings = ["backend", "images/s", "UNet call ms", "rows", "GFLOP/s", "of GEMM peak"]
    return table(headings, rows)


def sweep_table(known: Known) -> str:
    """Returns every arrival rate of every system."""
    rows = []
    for part, name in (("sweep", "likeness"), *_BASELINES):
        for point in known.get(part, {}).get("points", []):
            load = f" ({point['load']:.0%} of capacity)" if "load" in point else ""
            rows.append([f"{name}, {point['rate_per_s']:.2f}/s{load}", *_figures(point)])
    return table(["load", "images/s", "p50 s", "p95 s", "p99 s", "first step p50 s", "p95 s"], rows)


def split_table(known: Known, winner: Result) -> str:
    """Returns the mean seconds of a request by what it waits for."""
    rows = [_split_row("closed loop of 8", winner["split"])]
    for point in known.get("sweep", {}).get("points", []):
        rows.append(_split_row(f"{point['rate_per_s']:.2f}/s", point["split"]))
    return table(["load", "prepare", "queue", "batch wait", "compute", "decode"], rows)


def call_table(winner: Result) -> str:
    """Returns the profile of the closed loop, in milliseconds per UNet call."""
    profile = winner["profile"]
    rows = [
        ["UNet call, adapters packed", f"{profile['unet_ms']:.2f}"],
        ["between calls: sampler", f"{profile['sampler_ms']:.2f}"],
        [
            "between calls: guidance, batching, event loop",
            f"{profile['between_calls_ms'] - profile['sampler_ms']:.2f}",
        ],
    ]
    rows += [
        [f"beside, on threads of their own: {name}", f"{ms:.2f}"] for name, ms in profile["beside_ms"].items()
    ]
    sizes = ", ".join(f"{size}: {count}" for size, count in profile["rows_per_call"].items())
    return table(["stage", "ms per call"], rows) + f"\n\nRows per call (rows: calls): {sizes}."


def costs_text(known: Known) -> str:
    """Returns the single figures: adapters, joining, memory, how the baselines were set up."""
    lines = [line for name, part in known.items() if name.startswith("costs-") for line in _costs(part)]
    if "memory" in known:
        memory = known["memory"]
        lines.append(
            f"- Memory over {memory['image_count']} pictures ({memory['size_px']} px, {memory['step_count']} "
            f"steps): {memory['early_mib']:.0f} MiB, at the end {memory['late_mib']:.0f} MiB."
        )
    if "eager" in known:
        lines.append(
            f"- diffusers, set_adapters among all adapters: {1000 * known['eager']['switch_s']:.0f} ms."
        )
    for tried in known.get("best", {}).get("tried", []):
        lines.append(
            f"- diffusers {tried['variant']}: {tried['step_ms']:.1f} ms a step, {tried['switch_ms']:.1f} ms "
            f"to change adapters, {tried['set_up_s']:.0f} s to set up."
        )
    return "\n".join(lines)


def _costs(part: Result) -> list[str]:
    lora, swap, join = part["lora"], part["swap"], part["join"]
    return [
        f"- {part['backend']}: eight rows with eight mixes of identity and style "
        f"{lora['as_data_ms']:.1f} ms a call ({lora['overhead_percent']:+.1f} %), with eight identities "
        f"alone {lora['identity_alone_ms']:.1f} ms ({lora['identity_alone_percent']:+.1f} %), with none "
        f"{lora['no_adapters_ms']:.1f} ms; merged weights {lora['merged_ms']:.1f} ms.",
        f"- {part['backend']}: another adapter mix costs {swap['lookup_ms']:.2f} ms to look it up, "
        f"{swap['again_ms']:.2f} ms in its first call, {swap['first_ms']:.2f} ms if it was never seen.",
        f"- {part['backend']}: a request that joins eight others has its first step after "
        f"{join['p50_steps']:.2f} step-times (p50), {join['p95_steps']:.2f} (p95); a step-time is "
        f"{1000 * join['step_time_s']:.0f} ms.",
    ]


_BASELINES = (("eager", "diffusers as people run it"), ("best", "diffusers at its best"))


def _figures(result: Result) -> list[str]:
    latency, first = result["latency_s"], result["first_progress_s"]
    values = [latency["p50"], latency["p95"], latency["p99"], first["p50"], first["p95"]]
    return [f"{result['images_per_s']:.2f}", *(f"{value:.2f}" for value in values)]


def _split_row(name: str, split: dict[str, float]) -> list[str]:
    parts = ("prepare_s", "queue_s", "batch_wait_s", "compute_s", "decode_s")
    return [name, *(f"{split[part]:.2f}" for part in parts)]


def _gemm(known: Known, result: Result) -> tuple[float, float]:
    """GFLOP/s that the UNet calls reach, and their share of the peak at their precision."""
    machine, profile = known["machine"], result["profile"]
    reached = machine["unet_gflop_per_row"] * profile["mean_rows"] / (profile["unet_ms"] / 1000)
    return reached, reached / machine["gemm_gflops"][precision_of(result["description"])]


def precision_of(description: str) -> str:
    """Returns which GEMM peak a backend's description is to be held against."""
    return "bfloat16" if "bf16" in description or "bfloat16" in description else "float32"
