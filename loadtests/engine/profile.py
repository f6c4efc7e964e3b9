"""Where the time of a closed loop goes: UNet calls, what runs between them, what runs beside them."""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.engine.observe import Call
from loadtests.statistics import histogram, mean_size
from services.diffusion.domain.events import Generated


def call_profile(calls: Sequence[Call], stage_seconds: Mapping[str, float]) -> dict[str, Any]:
    """Returns means per UNet call, in milliseconds, and batch sizes.

    Args:
        calls: UNet calls of a run without idle time, in order.
        stage_seconds: Time by stage over the whole run: "sampler" runs between calls; "text", "decode" and
            "adapters" run on threads of their own, beside them.
    """
    count = len(calls)
    unet_s = sum(call.ended_s - call.began_s for call in calls)
    gaps_s = sum(after.began_s - before.ended_s for before, after in itertools.pairwise(calls))
    sampler_s = stage_seconds.get("sampler", 0.0)
    rows = histogram(call.row_count for call in calls)
    return {
        "call_count": count,
        "unet_ms": 1000 * unet_s / count,
        "sampler_ms": 1000 * sampler_s / count,
        "between_calls_ms": 1000 * gaps_s / max(count - 1, 1),
        "unet_share": unet_s / (calls[-1].ended_s - calls[0].began_s),
        "beside_ms": {
            stage: 1000 * seconds / count for stage, seconds in stage_seconds.items() if stage != "sampler"
        },
        "rows_per_call": rows,
        "mean_rows": mean_size(rows),
        "images_per_call": histogram(call.image_count for call in calls),
    }


def request_split(made: Sequence[Generated]) -> dict[str, float]:
    """Returns the mean seconds of a request by what it waits for, as the engine itself reports them."""
    return {
        "prepare_s": statistics.mean(one.prepare_time_s for one in made),
        "queue_s": statistics.mean(one.picture.queue_time_s for one in made),
        "batch_wait_s": statistics.mean(one.picture.batch_wait_time_s for one in made),
        "compute_s": statistics.mean(one.picture.compute_time_s for one in made),
        "decode_s": statistics.mean(one.picture.decode_time_s for one in made),
    }
