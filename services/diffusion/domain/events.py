"""What a caller hears while a picture is made: Queued*, (StepDone, Preview?)*, Generated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Queued:
    """Waiting for a place; `ahead_count` pictures are before this one."""

    ahead_count: int


@dataclass(frozen=True)
class StepDone:
    """Step `step` (from 1) of `step_count` is done; its last UNet call had `batch_row_count` rows."""

    step: int
    step_count: int
    batch_row_count: int


@dataclass(frozen=True, eq=False)
class Preview:
    """Small RGB uint8 picture [h, w, 3] of what step `step` saw."""

    step: int
    image: Image


@dataclass(frozen=True, eq=False)
class Decoded:
    """The picture, RGB uint8 [H, W, 3], and where its time went, in seconds."""

    image: Image
    queue_time_s: float
    denoise_time_s: float
    decode_time_s: float


@dataclass(frozen=True, eq=False)
class Generated:
    """The picture with what it was made from: enough to make it again. Always the last event."""

    picture: Decoded
    seed: int
    model_sha256: str
    adapter_sha256s: tuple[str, ...]


Progress = Queued | StepDone | Preview
Event = Progress | Generated
