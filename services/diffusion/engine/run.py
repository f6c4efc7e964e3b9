"""One picture on its way through the denoiser."""

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.events import Preview, Progress, StepDone
from services.diffusion.domain.ports import LatentCodec
from services.diffusion.domain.programs import DenoisingProgram, DenoisingStep
from shared.cancellation import CancellationToken

Array = NDArray[np.float32]


@dataclass(eq=False)
class Run:
    """A program with its present step; `latents` is set once the last step is done.

    `events` carries what its caller hears: progress, then None when the latents are there, or an error.
    """

    program: DenoisingProgram
    step: DenoisingStep
    preview_interval: int
    token: CancellationToken
    events: asyncio.Queue[Progress | Exception | None] = field(default_factory=asyncio.Queue)
    joined_s: float = field(default_factory=time.monotonic)
    started_s: float = 0.0
    ahead_count: int = 0
    latents: Array | None = None

    def advance(self, predictions: tuple[Array, ...], batch_rows: int, codec: LatentCodec) -> list[Progress]:
        """Finish a step. Blocking; raises what the program raises, ArithmeticError on NaN or infinity."""
        done = self.step.done_count + 1
        happened: list[Progress] = [StepDone(done, self.step.step_count, batch_rows)]
        try:
            self.step = self.program.send(predictions)
        except StopIteration as end:
            if not np.isfinite(end.value).all():
                raise ArithmeticError("the latents are not finite") from None
            self.latents = end.value
            return happened
        clean = self.step.clean_estimate
        if self.preview_interval and done % self.preview_interval == 0 and clean is not None:
            happened.append(Preview(done, codec.preview(clean)))
        return happened
