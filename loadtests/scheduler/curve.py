"""What a UNet call costs on a GPU, by batch size, from a published measurement."""

import bisect

# SGLang-Diffusion on one H200, Qwen-Image at 512 px (pull request 22183): throughput over batch 1.
PUBLISHED_SPEEDUP = {1: 1.0, 2: 1.82, 4: 2.77, 8: 3.14}
# Only ratios matter for throughput; this sets the unit of the latencies.
SINGLE_CALL_S = 0.05
MAX_BATCH = 8

_SIZES = sorted(PUBLISHED_SPEEDUP)


def call_s(batch: int) -> float:
    """Returns the seconds of one denoising call for *batch* pictures.

    Linear in the cost between the published points; beyond the last one each picture costs what it costs
    there, as the GPU is saturated. Raises: ValueError for an empty batch.
    """
    if batch < 1:
        raise ValueError("a batch holds at least one picture")
    if batch >= _SIZES[-1]:
        return _published_s(_SIZES[-1]) * batch / _SIZES[-1]
    place = bisect.bisect_right(_SIZES, batch)
    low, high = _SIZES[place - 1], _SIZES[place]
    share = (batch - low) / (high - low)
    return _published_s(low) * (1 - share) + _published_s(high) * share


def _published_s(batch: int) -> float:
    return SINGLE_CALL_S * batch / PUBLISHED_SPEEDUP[batch]
