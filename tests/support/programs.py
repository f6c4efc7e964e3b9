"""Drives denoising programs without the engine."""

from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import DenoisingProgram, DenoisingStep, FindRegion, Finished
from services.diffusion.domain.rows import RowBatch


def drive(model: Model, program: DenoisingProgram, steps: list[DenoisingStep] | None = None) -> Finished:
    """Run *program* alone to its end; its steps are added to *steps*."""
    wanted: DenoisingStep | FindRegion = next(program)
    while True:
        if isinstance(wanted, FindRegion):
            answer = (model.regions.find(wanted.with_identity, wanted.without_identity),)
        else:
            answer = tuple(model.unet.predict(RowBatch.of(wanted.rows)))
            if steps is not None:
                steps.append(wanted)
        try:
            wanted = program.send(answer)
        except StopIteration as end:
            return end.value if isinstance(end.value, Finished) else Finished(end.value, lambda image: image)
