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
    """The picture, RGB uint8 [H, W, 3], and where its time went, in seconds.

    The denoising time is from the first step's begin to the last one's end: `compute_time_s` in UNet calls
    that held rows of this picture, `batch_wait_time_s` between them (the turns of others, a region search,
    adapters that come late). `late_adapter_step` is the first step (from 1) with the adapters that came late,
    0 if none did.
    """

    image: Image
    queue_time_s: float
    batch_wait_time_s: float
    compute_time_s: float
    decode_time_s: float
    late_adapter_step: int = 0

    @property
    def denoise_time_s(self) -> float:
        """From the first step's begin to the last one's end."""
        return self.batch_wait_time_s + self.compute_time_s


@dataclass(frozen=True, eq=False)
class Generated:
    """The picture with what it was made from: enough to make it again. Always the last event.

    `adapter_first_steps` says for each adapter from which step on (from 1) it took part; `prepare_time_s` is
    what loading adapters and encoding took before the picture joined the line; `unfamiliar_words` are words
    of the prompts that the model can hardly know.
    """

    picture: Decoded
    seed: int
    model_sha256: str
    adapter_sha256s: tuple[str, ...]
    adapter_first_steps: tuple[int, ...] = ()
    prepare_time_s: float = 0.0
    unfamiliar_words: tuple[str, ...] = ()


Progress = Queued | StepDone | Preview
Event = Progress | Generated
