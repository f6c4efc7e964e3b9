"""Late injection: the person enters late, in the region alone; at its ends it is plain identity or none."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import DenoisingStep
from services.diffusion.domain.request import AdapterChoice, GenerationRequest, IdentityChoice, Injection
from services.diffusion.engine.preparation import load_adapter, start_program
from services.diffusion.errors import FieldInvalid
from tests.support.programs import drive

_FAKE = FakeModels().load("")
_PERSON = IdentityChoice((np.ones(128, np.float32),))
_SHARP = 0  # no feather: the fake's picture has only eight cells a side
_scales = st.sampled_from([1.0, 3.0, 7.5])


class _Regions:
    """Answers with one mask and remembers what it was asked."""

    description = "test"

    def __init__(self, mask: np.ndarray) -> None:
        self.mask = mask
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []

    def find(self, with_identity: np.ndarray, without_identity: np.ndarray) -> np.ndarray:
        self.asked.append((with_identity, without_identity))
        return self.mask


def _model(mask: np.ndarray) -> tuple[Model, _Regions]:
    regions = _Regions(mask.astype(np.float32))
    return dataclasses.replace(_FAKE, regions=regions), regions


def _draw(model: Model = _FAKE, **more: Any) -> tuple[np.ndarray, list[DenoisingStep]]:
    steps: list[DenoisingStep] = []
    given = {"step_count": 10, "seed": 3, "identity": _PERSON} | more
    program = start_program(model, GenerationRequest("a face", **given), ())
    return drive(model, program, steps).latents, steps


def _late(model: Model, injection: Injection, **more: Any) -> tuple[np.ndarray, list[DenoisingStep]]:
    return _draw(model, technique="late_injection", injection=injection, **more)


@settings(max_examples=20, deadline=None)
@given(text=_scales, person=st.none() | _scales, seed=st.integers(0, 99))
def test_from_the_first_step_and_everywhere_it_is_plain_identity(
    text: float, person: float | None, seed: int
) -> None:
    model, _ = _model(np.ones((8, 8)))
    scales = {"guidance_scale": text, "identity_guidance_scale": person, "seed": seed}

    late, _ = _late(model, Injection(0.0, 1.0, _SHARP), **scales)

    np.testing.assert_allclose(late, _draw(**scales)[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("mask", "injection"),
    [
        (np.ones((8, 8)), Injection(1.0, 1.0, _SHARP)),
        (np.ones((8, 8)), Injection(0.2, 0.0, _SHARP)),
        (np.zeros((8, 8)), Injection(0.2, 1.0, _SHARP)),
    ],
    ids=["never", "without strength", "nowhere"],
)
def test_never_or_nowhere_it_is_nobody(mask: np.ndarray, injection: Injection) -> None:
    nobody, _ = _draw(identity_guidance_scale=0.0)

    late, _ = _late(_model(mask)[0], injection)

    np.testing.assert_allclose(late, nobody, rtol=0, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(start=st.integers(0, 10), text=_scales)
def test_the_person_costs_rows_only_once_it_is_there(start: int, text: float) -> None:
    model, regions = _model(np.ones((8, 8)))

    _, steps = _late(model, Injection(start / 10, 1.0, _SHARP), guidance_scale=text)

    unguided = 1 if text > 1 else 0
    assert [len(step.rows) for step in steps] == [
        unguided + (2 if index >= start else 1) for index in range(10)
    ]
    assert len(regions.asked) == (1 if start < 10 else 0), "the region is looked for once"


def test_the_region_is_found_on_estimates_with_and_without_the_person() -> None:
    model, regions = _model(np.ones((8, 8)))

    _, steps = _late(model, Injection(0.3, 1.0, _SHARP))

    ((with_person, without),) = regions.asked
    assert np.abs(with_person - without).max() > 0.01
    # The fake's estimate of the clean picture is its prediction, and the next step previews the blend.
    np.testing.assert_allclose(steps[4].clean_estimate, with_person, rtol=0, atol=1e-5)


def test_outside_of_the_region_the_person_changes_nothing() -> None:
    mask = np.zeros((8, 8))
    mask[2:5, 3:6] = 1
    model, _ = _model(mask)
    nobody, _ = _draw(identity_guidance_scale=0.0)

    late, _ = _late(model, Injection(0.3, 1.0, _SHARP))

    # The fake's UNet looks at each cell by itself, so a leak could only come from the blend.
    np.testing.assert_allclose(late[:, mask == 0], nobody[:, mask == 0], rtol=0, atol=1e-5)
    assert np.abs(late[:, mask == 1] - nobody[:, mask == 1]).min() > 1e-3


def test_the_edge_is_as_soft_as_asked() -> None:
    mask = np.zeros((8, 8))
    mask[:, :2] = 1
    model, _ = _model(mask)
    nobody, _ = _draw(identity_guidance_scale=0.0)

    late, _ = _late(model, Injection(0.3, 1.0, feather_px=24))  # three cells of 8 px

    change = np.abs(late - nobody).max(axis=(0, 1))
    assert (change[:5] > 1e-3).all()
    assert (change[5:] <= 1e-5).all()


def test_it_needs_a_person() -> None:
    with pytest.raises(FieldInvalid, match="late_injection needs a person"):
        _draw(technique="late_injection", identity=None)


def test_other_techniques_refuse_its_parameters() -> None:
    with pytest.raises(FieldInvalid, match="late_injection: the technique text_to_image has no use for it"):
        _draw(technique="text_to_image", injection=Injection())


def test_an_adapter_of_the_person_enters_with_the_person_and_is_enough() -> None:
    choice = AdapterChoice(name="lora-person", of_person=True)
    request = GenerationRequest(
        "a face", step_count=10, technique="late_injection", injection=Injection(0.3, 1.0, _SHARP),
        adapters=(choice,),
    )  # fmt: skip
    steps: list[DenoisingStep] = []
    program = start_program(_FAKE, request, (load_adapter(_FAKE.adapters, choice, "t"),))

    drive(_FAKE, program, steps)

    counts = [[len(row.adapters) for row in step.rows] for step in steps]
    assert counts == [[0, 0]] * 3 + [[0, 0, 1]] * 7
