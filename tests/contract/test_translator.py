"""What every `Translator` promises."""

import json

import numpy as np
import pytest

from services.stylization.adapters.fake import FakeTranslator
from services.stylization.adapters.onnx_translator import OnnxTranslator
from shared.errors.common import ModelMissing
from tests.support.drawn_face import draw_face
from tests.support.tiny_onnx import save_inverter

CARD = {
    "name": "negative",
    "description": "Light is dark.",
    "licence": "CC0-1.0",
    "multiple": 16,
    "longest_px": 320,
    "shortest_px": 64,
}


@pytest.fixture
def inverter(tmp_path):
    path = save_inverter(tmp_path / "negative.onnx")
    path.with_suffix(".json").write_text(json.dumps(CARD))
    return path


@pytest.fixture(params=["fake", "onnx"])
def translator(request, inverter):
    return FakeTranslator("negative") if request.param == "fake" else OnnxTranslator(inverter)


@pytest.mark.parametrize("size", [(256, 256), (1, 1), (37, 90), (300, 211), (700, 500), (3, 400)])
def test_drawing_has_the_pictures_size(translator, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)

    drawn = translator.translate(image)

    assert ((*size, 3), np.uint8) == (drawn.shape, drawn.dtype)


def test_results_repeat_and_the_input_stays(translator):
    image = draw_face()[0]
    before = image.copy()

    first, second = (translator.translate(image) for _ in range(2))

    assert (first == second).all()
    assert (before == image).all()


def test_effect_says_name_licence_and_looks(translator):
    effect = translator.effect

    assert effect.name == "negative"
    assert effect.licence and effect.description.endswith(".")


@pytest.mark.parametrize("size", [(128, 128), (131, 140), (640, 480)])
def test_picture_survives_padding_and_scaling(inverter, size):
    """The negative of the negative is the picture: whatever is padded, cropped, shrunk and enlarged."""
    image = draw_face(size, centre=(size[1] / 2, size[0] / 2), scale=min(size) / 180)[0]

    drawn = OnnxTranslator(inverter).translate(image)

    tolerance = (
        1.0 if max(size) <= 320 else 4.0
    )  # mean 8-bit levels; larger pictures go through a smaller one
    assert np.abs(255.0 - drawn - image).mean() < tolerance


def test_edges_of_a_large_picture_stay_sharp(inverter):
    image = np.zeros((960, 960, 3), np.uint8)
    image[:, 481:] = 200

    drawn = OnnxTranslator(inverter).translate(image).astype(int)

    assert drawn[480, 474].mean() > 230 and drawn[480, 488].mean() < 80


@pytest.mark.parametrize("missing", [".onnx", ".json"])
def test_missing_file_is_named(inverter, missing):
    inverter.with_suffix(missing).unlink()

    with pytest.raises(ModelMissing, match=f"negative{missing}"):
        OnnxTranslator(inverter)
