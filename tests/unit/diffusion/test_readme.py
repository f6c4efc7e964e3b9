"""The technique in the README is a working one."""

import re
from pathlib import Path

import numpy as np

from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.programs import TECHNIQUES, DenoisingStep, ProgramInput
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.domain.rows import RowBatch, UNetRow
from services.diffusion.engine import generation

_README = Path(generation.__file__).parents[1] / "README.md"


def test_the_technique_of_the_readme_draws_a_picture(monkeypatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", _README.read_text(), re.DOTALL)
    kinds = (UNetRow, DenoisingStep, ProgramInput)
    names: dict = {kind.__name__: kind for kind in kinds} | {"DenoisingProgram": object}
    exec(code, names)
    monkeypatch.setattr(generation, "TECHNIQUES", {**TECHNIQUES, "two_prompts": names["two_prompts"]})
    model = FakeModels().load("")
    program = generation.start_program(
        model, GenerationRequest("a", technique="two_prompts", step_count=4), ()
    )

    step, seen = next(program), []
    while True:
        seen.append(float(step.rows[0].text.context[0, 0]))
        try:
            step = program.send(tuple(model.unet.predict(RowBatch.of(step.rows))))
        except StopIteration as end:
            latents = end.value
            break

    assert seen[0] == seen[1] != seen[2] == seen[3]
    assert np.isfinite(latents).all()
    assert len(code.splitlines()) <= 30
