"""One picture on its way through the denoiser."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.events import Decoded, Preview, Progress, StepDone
from services.diffusion.domain.ports import LatentCodec
from services.diffusion.domain.programs import DenoisingProgram, DenoisingStep, FindRegion, Finished
from services.diffusion.domain.rows import UNetRow
from services.diffusion.engine.late import LateAdapters
from shared.cancellation import CancellationToken

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(eq=False)
class Clock:
    """Where a picture's time goes, in seconds of time.monotonic."""

    joined_s: float = field(default_factory=time.monotonic)
    started_s: float = 0.0
    compute_s: float = 0.0


@dataclass(eq=False)
class Run:
    """A program with its present step; `latents` is set once the last step is done.

    `events` carries what its caller hears: progress, then None when the latents are there, or an error.
    `wanted_region` is set while the program waits for a region instead of predictions, `finish` where the
    decoded picture needs a last touch.
    """

    program: DenoisingProgram
    step: DenoisingStep
    preview_interval: int
    token: CancellationToken
    late: LateAdapters | None = None
    events: asyncio.Queue[Progress | Exception | None] = field(default_factory=asyncio.Queue)
    clock: Clock = field(default_factory=Clock)
    ahead_count: int = 0
    late_adapter_step: int = 0
    latents: Array | None = None
    wanted_region: FindRegion | None = None
    finish: Callable[[Image], Image] | None = None

    @classmethod
    def start(
        cls,
        program: DenoisingProgram,
        preview_interval: int,
        token: CancellationToken,
        late: LateAdapters | None = None,
    ) -> "Run":
        """Take the program's first step. Raises: TypeError if it asks for something else first."""
        first = next(program)
        if not isinstance(first, DenoisingStep):
            raise TypeError("a denoising program begins with a step")
        return cls(program, first, preview_interval, token, late)

    def rows(self) -> Sequence[UNetRow]:
        """Rows of the present step with the adapters that are there. Raises: what loading them raised."""
        return self.step.rows if self.late is None else self.late.dress(self.step.rows)

    def begin_call(self, began_s: float) -> None:
        """Note that a UNet call with rows of the present step begins."""
        self.clock.started_s = self.clock.started_s or began_s
        if self.late is not None and self.late.has_arrived and not self.late_adapter_step:
            self.late_adapter_step = self.step.done_count + 1

    def advance(self, predictions: tuple[Array, ...], batch_rows: int, codec: LatentCodec) -> list[Progress]:
        """Finish a step. Blocking; raises what the program raises, ArithmeticError on NaN or infinity."""
        done = StepDone(self.step.done_count + 1, self.step.step_count, batch_rows)
        return [done, *self._send(predictions, codec)]

    def resume(self, region: Array, codec: LatentCodec) -> list[Progress]:
        """Hand over the region that the program waits for. Blocking; raises as `advance`."""
        self.wanted_region = None
        return self._send((region,), codec)

    def decoded(self, image: Image, denoised_s: float) -> Decoded:
        """The event of the finished picture; *denoised_s* is when its last step ended."""
        denoise_s = denoised_s - self.clock.started_s
        return Decoded(
            image,
            queue_time_s=self.clock.started_s - self.clock.joined_s,
            batch_wait_time_s=max(0.0, denoise_s - self.clock.compute_s),
            compute_time_s=self.clock.compute_s,
            decode_time_s=time.monotonic() - denoised_s,
            late_adapter_step=self.late_adapter_step,
        )

    def _send(self, answer: tuple[Array, ...], codec: LatentCodec) -> list[Progress]:
        try:
            wanted = self.program.send(answer)
        except StopIteration as end:
            self._end(end.value)
            return []
        if isinstance(wanted, FindRegion):
            self.wanted_region = wanted
            return []
        self.step = wanted
        clean, done = wanted.clean_estimate, wanted.done_count
        if self.preview_interval and done % self.preview_interval == 0 and clean is not None:
            return [Preview(done, codec.preview(clean))]
        return []

    def _end(self, result: Array | Finished) -> None:
        if isinstance(result, Finished):
            self.finish = result.finish
            result = result.latents
        if not np.isfinite(result).all():
            raise ArithmeticError("the latents are not finite")
        self.latents = result
