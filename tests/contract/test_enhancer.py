"""What every `Enhancer` promises."""

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeEnhancer
from services.fusion.adapters.onnx_enhancer import OnnxEnhancer
from services.fusion.adapters.opencv_enhancer import OpenCvEnhancer
from shared.errors.common import ModelMissing
from tests.support.drawn_face import draw_face
from tests.support.tiny_onnx import save_upscaler


@pytest.fixture(params=["fake", "opencv", "onnx", "onnx of fixed size"])
def enhancer(request, tmp_path):
    if request.param == "fake":
        return FakeEnhancer()
    if request.param == "opencv":
        return OpenCvEnhancer()
    fixed_px = 96 if request.param.endswith("size") else None
    return OnnxEnhancer(save_upscaler(tmp_path / "twice.onnx", fixed_px=fixed_px))


@pytest.fixture
def image():
    return draw_face((96, 80), centre=(40, 48), scale=0.6)[0]


def test_every_scale_multiplies_the_size(enhancer, image):
    assert 1 in enhancer.scales and 2 in enhancer.scales
    for scale in enhancer.scales:
        out = enhancer.enhance(image, scale=scale, strength=0.5)
        assert ((96 * scale, 80 * scale, 3), np.uint8) == (out.shape, out.dtype)


def test_content_stays_what_it_was(enhancer, image):
    out = enhancer.enhance(image, scale=2, strength=1.0)

    smaller = out.reshape(96, 2, 80, 2, 3).mean((1, 3))
    assert np.abs(smaller - image).mean() < 6  # 8-bit levels


def test_unknown_scale_is_refused_and_the_input_stays(enhancer, image):
    before = image.copy()

    with pytest.raises(ValueError, match="scale 7"):
        enhancer.enhance(image, scale=7, strength=1.0)
    enhancer.enhance(image, scale=1, strength=1.0)

    assert (before == image).all()


def test_results_repeat(enhancer, image):
    first, second = (enhancer.enhance(image, scale=2, strength=0.7) for _ in range(2))

    assert (first == second).all()


def test_missing_file_names_itself_and_where_to_get_it(tmp_path):
    with pytest.raises(ModelMissing, match=r"gfpgan\.onnx"):
        OnnxEnhancer(tmp_path / "gfpgan.onnx")
