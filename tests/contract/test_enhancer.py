"""What every `Enhancer` promises."""

import json

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeEnhancer
from services.fusion.adapters.onnx_enhancer import OnnxEnhancer
from services.fusion.adapters.opencv_enhancer import OpenCvEnhancer
from services.fusion.bootstrap import build_enhancer, build_upscaler
from services.fusion.settings import FusionSettings
from shared.cancellation import CancellationToken, Cancelled
from shared.errors.common import ModelMissing
from tests.support.drawn_face import draw_face
from tests.support.tiny_onnx import save_folded_net, save_upscaler


def starter(scale):
    """What a service without settings takes: the starter pack's net; skipped where the pack has none."""
    found = build_enhancer(FusionSettings()) if scale == 1 else build_upscaler(FusionSettings())
    if found.name != "starter":
        pytest.skip("the starter pack has no such net")
    return found


BACKENDS = {
    "fake": lambda scale, _: FakeEnhancer(scale),
    "opencv": lambda scale, _: OpenCvEnhancer(scale),
    "starter": lambda scale, _: starter(scale),
    "onnx": lambda scale, folder: OnnxEnhancer(save_upscaler(folder / "twice.onnx"), scale=scale),
    "onnx of fixed size": lambda scale, folder: OnnxEnhancer(
        save_upscaler(folder / "twice.onnx", fixed_px=96), scale=scale
    ),
}


@pytest.fixture(params=[1, 2])
def scale(request):
    return request.param


@pytest.fixture(params=BACKENDS)
def enhancer(request, tmp_path, scale):
    return BACKENDS[request.param](scale, tmp_path)


@pytest.fixture
def image():
    return draw_face((96, 80), centre=(40, 48), scale=0.6)[0]


def enhanced(enhancer, image, strength=1.0):
    return enhancer.enhance(image, strength=strength, token=CancellationToken())


def halved(image):
    height, width = image.shape[:2]
    return image.reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))


def test_it_has_a_name_and_the_factor_asked_for(enhancer, scale):
    assert enhancer.name and enhancer.scale == scale


@pytest.mark.parametrize("size", [(96, 80), (33, 71), (5, 3)])
def test_any_size_is_multiplied(enhancer, scale, size):
    image = draw_face(size, centre=(size[1] / 2, size[0] / 2), scale=size[0] / 160)[0]

    out = enhanced(enhancer, image, 0.5)

    assert ((size[0] * scale, size[1] * scale, 3), np.uint8) == (out.shape, out.dtype)


def test_content_and_colours_stay_what_they_were(enhancer, image, scale):
    out = enhanced(enhancer, image)

    smaller = halved(out) if scale == 2 else out.astype(float)
    assert np.abs(smaller - image).mean() < 6  # 8-bit levels
    assert np.abs(smaller.mean((0, 1)) - image.mean((0, 1))).max() < 2.5


def test_strength_zero_is_plain_resampling(enhancer, image, scale):
    out = enhanced(enhancer, image, 0.0)

    if scale == 1:
        assert (out == image).all() and not np.shares_memory(out, image)
    else:
        assert np.abs(halved(out) - image).mean() < 3


def test_strength_lies_between_nothing_and_all(enhancer, image):
    nothing, half, everything = (enhanced(enhancer, image, s).astype(float) for s in (0.0, 0.5, 1.0))

    assert np.abs(half - nothing).mean() <= np.abs(everything - nothing).mean() + 0.5


def test_input_stays(enhancer, image):
    before = image.copy()

    enhanced(enhancer, image)

    assert (before == image).all()


def test_results_repeat(enhancer, image):
    first, second = (enhanced(enhancer, image, 0.7) for _ in range(2))

    assert (first == second).all()


def test_cancelled_work_stops(enhancer, image):
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        enhancer.enhance(image, strength=1.0, token=token)


@pytest.mark.parametrize("name", ["opencv", "starter", "folded"])
def test_large_picture_in_tiles_equals_the_whole(name, tmp_path, scale, monkeypatch):
    """To a level on average and 6 at most of 255, on a portrait with edges and grain."""
    if name == "folded":
        enhancer = OnnxEnhancer(save_folded_net(tmp_path / "net.onnx", scale), scale=scale)
    else:
        enhancer = BACKENDS[name](scale, tmp_path)
    image = draw_face((700, 803), centre=(400, 350), scale=5, noise_seed=1)[0]
    tiled = enhanced(enhancer, image)
    monkeypatch.setattr("services.fusion.domain.tiles.Tiling.pieces", lambda self, length: [(0, length)])

    difference = np.abs(tiled.astype(int) - enhanced(enhancer, image))

    assert difference.mean() < 1
    assert difference.max() <= 6


def test_missing_file_names_itself_and_where_to_get_it(tmp_path):
    with pytest.raises(ModelMissing, match=r"gfpgan\.onnx"):
        OnnxEnhancer(tmp_path / "gfpgan.onnx")


def test_net_that_keeps_the_size_is_no_upscaler(tmp_path):
    with pytest.raises(ValueError, match="2 times is needed"):
        OnnxEnhancer(save_folded_net(tmp_path / "net.onnx"), scale=2)


def test_card_beside_a_net_tells_its_range(tmp_path):
    path = save_upscaler(tmp_path / "signed.onnx")
    path.with_suffix(".json").write_text(json.dumps({"input": {"range": [-1, 1]}}))
    image = draw_face((32, 32), centre=(16, 16), scale=0.2)[0]

    out = enhanced(OnnxEnhancer(path), image)

    assert np.abs(out.astype(int) - image).max() <= 1


def test_card_that_is_none_is_named(tmp_path):
    path = save_upscaler(tmp_path / "net.onnx")
    path.with_suffix(".json").write_text("[1]")

    with pytest.raises(ValueError, match=r"net\.json"):
        OnnxEnhancer(path)
