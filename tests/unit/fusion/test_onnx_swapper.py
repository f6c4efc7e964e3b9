"""A learned swapper behind the port, by a net of the same shape with random weights."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from services.fusion.adapters.onnx_swapper import OnnxSwapper
from services.fusion.domain.fusing import FuseOptions, RegionWeights, Template
from shared.errors.common import FieldInvalid, ModelMissing
from tests.support.drawn_head import draw_head
from tests.support.tiny_onnx import save_face_swapper, save_inverter

IDENTITY = np.eye(512, dtype=np.float32)


@pytest.fixture
def swapper(tmp_path):
    return OnnxSwapper(save_face_swapper(tmp_path / "inswapper_128.onnx"), threads=1)


def template(identity=0, size=512):
    image, face = draw_head()
    embedding = np.zeros(size, np.float32)
    embedding[identity : identity + 1] = 1
    return Template("reference 1", image, replace(face, identity_embedding=embedding))


def test_identity_decides_the_picture(swapper):
    candidate = draw_head()

    one, same, other = (swapper.swap(*candidate, template(i), FuseOptions()).image for i in (0, 0, 7))

    assert (one == same).all()
    assert np.abs(one.astype(int) - other).max() > 8


def test_latent_is_the_embedding_times_the_last_initializer_at_unit_length(swapper, tmp_path):
    stored = onnx.load(str(tmp_path / "inswapper_128.onnx")).graph.initializer[-1]
    emap = onnx.numpy_helper.to_array(stored)

    latent = swapper._identity(template(5))

    np.testing.assert_allclose(emap[5] / np.linalg.norm(emap[5]), latent[0], atol=1e-6)


@pytest.mark.parametrize("size", [0, 128])
def test_embedding_of_another_size_is_a_typed_error_that_says_what_is_needed(swapper, size):
    with pytest.raises(FieldInvalid, match=f"has {size} numbers and inswapper_128.onnx takes 512"):
        swapper.swap(*draw_head(), template(size=size), FuseOptions())


def test_hair_and_glasses_of_the_candidate_stay(swapper):
    image, face = draw_head(glasses=True, fringe=True)
    kept = np.isin(face.parts.labels, [face.parts.names.index(name) for name in ("hair", "glasses")])

    swapped = swapper.swap(image, face, template(2), FuseOptions(weights=RegionWeights(1, 1, 1)))

    change = np.abs(swapped.image.astype(int) - image).max(-1)
    assert np.median(change[~kept & (change > 0)]) > 4
    assert np.percentile(change[kept], 99) <= 12


def test_file_that_is_not_there_or_no_swapper_is_refused(tmp_path):
    with pytest.raises(ModelMissing, match="non-commercial"):
        OnnxSwapper(tmp_path / "absent.onnx")
    with pytest.raises(ValueError, match="no face swapper"):
        OnnxSwapper(save_inverter(tmp_path / "inverter.onnx"))
    with pytest.raises(ValueError, match="another size"):
        OnnxSwapper(save_face_swapper(tmp_path / "small.onnx", side_px=96))


def test_crop_of_112_px_is_served_too(tmp_path):
    swapper = OnnxSwapper(save_face_swapper(tmp_path / "s.onnx", side_px=224), threads=1)

    swapped = swapper.swap(*draw_head(), template(1), FuseOptions())

    assert swapped.mask_share > 0
