"""What the README says of techniques is so."""

import re
from pathlib import Path

import numpy as np

from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.programs import TECHNIQUES, DenoisingStep, ProgramInput
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.domain.rows import UNetRow
from services.diffusion.engine import preparation
from tests.support.programs import drive

_README = Path(preparation.__file__).parents[1] / "README.md"


def test_the_technique_of_the_readme_draws_a_picture(monkeypatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", _README.read_text(), re.DOTALL)
    kinds = (UNetRow, DenoisingStep, ProgramInput)
    names: dict = {kind.__name__: kind for kind in kinds} | {"DenoisingProgram": object}
    exec(code, names)
    monkeypatch.setattr(preparation, "TECHNIQUES", {**TECHNIQUES, "two_prompts": names["two_prompts"]})
    model = FakeModels().load("")
    request = GenerationRequest("a", technique="two_prompts", step_count=4)
    steps: list[DenoisingStep] = []

    latents = drive(model, preparation.start_program(model, request, ()), steps).latents

    seen = [float(step.rows[0].text.context[0, 0]) for step in steps]
    assert seen[0] == seen[1] != seen[2] == seen[3]
    assert np.isfinite(latents).all()
    assert len(code.splitlines()) <= 30


def test_the_table_of_techniques_names_them_all() -> None:
    table = re.findall(r"^\| `(\w+)`(?: \(default\))? \|", _README.read_text(), re.MULTILINE)

    assert table == list(TECHNIQUES)
