"""Programs that start from a picture: what strength and mask mean, over the fake model."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_cdt

from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.programs import DenoisingStep, Finished
from services.diffusion.domain.request import GenerationRequest, SourceChoice
from services.diffusion.engine.preparation import start_program
from services.diffusion.errors import FieldInvalid, ValueOutOfRange
from tests.support.programs import drive

_MODEL = FakeModels().load("")
_SIDE = 64
_strengths = st.sampled_from([0.1, 0.5, 0.8, 1.0])


def _picture(seed: int, height: int = _SIDE, width: int = _SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _mask(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    mask[top : top + height, left : left + width] = 255
    return mask


def _draw(source: SourceChoice | None, **more: Any) -> tuple[Finished, list[DenoisingStep]]:
    steps: list[DenoisingStep] = []
    technique = "text_to_image" if source is None else "image_to_image" if source.mask is None else "inpaint"
    given = {"step_count": 10, "seed": 3, "technique": technique} | more
    program = start_program(_MODEL, GenerationRequest("a face", source=source, **given), ())
    return drive(_MODEL, program, steps), steps


def _finished(source: SourceChoice, **more: Any) -> np.ndarray:
    done, _ = _draw(source, **more)
    return done.finish(_MODEL.codec.decode(done.latents))


@settings(max_examples=30, deadline=None)
@given(strength=_strengths, seed=st.integers(0, 99), feather=st.integers(0, 40))
def test_a_black_mask_gives_the_very_picture(strength: float, seed: int, feather: int) -> None:
    image = _picture(seed)

    result = _finished(SourceChoice(image, strength, _mask(0, 0, 0, 0), feather), seed=seed)

    np.testing.assert_array_equal(result, image)


@settings(max_examples=30, deadline=None)
@given(
    box=st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40)),
    strength=_strengths,
    feather=st.integers(0, 20),
)
def test_beyond_the_feathered_mask_pixels_are_the_inputs(
    box: tuple[int, int, int, int], strength: float, feather: int
) -> None:
    image, mask = _picture(1), _mask(*box)

    result = _finished(SourceChoice(image, strength, mask, feather))

    distance = distance_transform_cdt(mask[..., 0] == 0, metric="chessboard")
    np.testing.assert_array_equal(result[distance > feather], image[distance > feather])
    assert (result[distance == 0] != image[distance == 0]).any()


def test_grey_levels_of_a_mask_mix_the_two_pictures() -> None:
    image = np.full((_SIDE, _SIDE, 3), 200, np.uint8)
    grey = np.full_like(image, 64)

    result = _finished(SourceChoice(image, 1.0, grey, feather_px=0))

    # Below a half nothing is drawn anew: the latents stay the source's, the paste mixes a quarter of them in.
    assert np.abs(result.astype(int) - 200).max() <= 2


def test_full_strength_under_a_white_mask_knows_nothing_of_the_picture() -> None:
    white = _mask(0, 0, _SIDE, _SIDE)

    results = [_finished(SourceChoice(_picture(seed), 1.0, white)) for seed in (1, 2)]

    np.testing.assert_array_equal(*results)


@settings(max_examples=20, deadline=None)
@given(tenths=st.integers(1, 10))
def test_strength_is_the_share_of_steps_and_they_are_the_last_ones(tenths: int) -> None:
    _, all_steps = _draw(None)

    _, steps = _draw(SourceChoice(_picture(1), tenths / 10))

    assert [step.rows[0].timestep for step in steps] == [
        step.rows[0].timestep for step in all_steps[10 - tenths :]
    ]
    assert {step.step_count for step in steps} == {tenths}


def test_less_strength_keeps_more_of_the_picture() -> None:
    smooth = np.kron(_picture(1, 8, 8), np.ones((8, 8, 1), np.uint8))

    kept = [
        np.abs(_finished(SourceChoice(smooth, strength)).astype(int) - smooth).mean()
        for strength in (0.1, 0.5, 1.0)
    ]

    assert kept[0] < kept[1] < kept[2]


def test_the_picture_decides_the_size_unless_the_request_does() -> None:
    source = SourceChoice(_picture(1, 96, 128), 0.5, np.zeros((48, 64, 3), np.uint8))

    assert _finished(source).shape == (96, 128, 3)
    assert _finished(source, width_px=64, height_px=64).shape == (64, 64, 3)


@pytest.mark.parametrize("size", [(64, 100), (32, 64), (2048, 64)])
def test_a_size_that_no_model_draws_is_refused_with_the_remedy(size: tuple[int, int]) -> None:
    with pytest.raises(ValueOutOfRange, match=r"source\.image is .* in steps of 32 px \(width_px") as caught:
        _draw(SourceChoice(_picture(1, *size), 0.5))

    assert f"{size[1]}x{size[0]}" in caught.value.message


def test_a_strength_without_a_step_is_refused() -> None:
    with pytest.raises(ValueOutOfRange, match=r"0\.1\.\.1 with 10 steps"):
        _draw(SourceChoice(_picture(1), 0.09))


@pytest.mark.parametrize(
    ("technique", "source", "problem"),
    [
        ("image_to_image", None, "source: the technique image_to_image needs a picture"),
        ("inpaint", None, "source: the technique inpaint needs a picture"),
        ("inpaint", SourceChoice(_picture(1), 0.5), "source.mask: the technique inpaint needs a mask"),
        (
            "image_to_image",
            SourceChoice(_picture(1), 0.5, _mask(0, 0, 9, 9)),
            "source.mask: the technique image_to_image has no use for it",
        ),
        (
            "text_to_image",
            SourceChoice(_picture(1), 0.5),
            "source: the technique text_to_image has no use for it",
        ),
    ],
)
def test_what_a_technique_lacks_or_cannot_use_is_named(
    technique: str, source: SourceChoice | None, problem: str
) -> None:
    with pytest.raises(FieldInvalid) as caught:
        _draw(source, technique=technique)

    assert problem in caught.value.message
