"""What every `FaceSwapper` promises."""

from dataclasses import replace

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeSwapper
from services.fusion.adapters.onnx_swapper import OnnxSwapper
from services.fusion.adapters.opencv_swapper import OpenCvSwapper
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import BlendMode, FuseOptions, Template, WarpMode
from tests.support.drawn_face import box_of, draw_face
from tests.support.drawn_head import draw_head, head_pose
from tests.support.tiny_onnx import save_face_swapper

IDENTITY = np.eye(512, dtype=np.float32)


@pytest.fixture(params=["fake", "opencv", "onnx"])
def swapper(request, tmp_path):
    if request.param == "onnx":
        return OnnxSwapper(save_face_swapper(tmp_path / "swapper.onnx"), threads=1)
    return {"fake": FakeSwapper, "opencv": OpenCvSwapper}[request.param]()


@pytest.fixture(params=["five landmarks", "structure"])
def pair(request):
    """A candidate and a template, with five landmarks alone, or with dense ones and part maps."""
    if request.param == "structure":
        candidate = draw_head(pose=head_pose(yaw_deg=10, scale_px=44), expression=(1.0,))
        image, face = draw_head(identity=(1, -1), skin=(120, 90, 70), iris=(30, 150, 60))
    else:
        image, landmarks = draw_face()
        candidate = image, Face(box_of(landmarks), landmarks)
        how = {"size": (180, 200), "centre": (100, 90), "scale": 1.0, "angle_deg": -10, "skin": (120, 90, 70)}
        image, landmarks = draw_face(**how)
        face = Face(box_of(landmarks), landmarks)
    return candidate, Template("reference 1", image, replace(face, identity_embedding=IDENTITY[3]))


@pytest.fixture
def candidate(pair):
    return pair[0]


@pytest.fixture
def template(pair):
    return pair[1]


options = pytest.mark.parametrize(
    "options",
    [FuseOptions(blend=blend, warp=warp) for blend in BlendMode for warp in WarpMode],
    ids=lambda o: f"{o.blend.value}-{o.warp.value}",
)


@options
def test_size_and_type_are_the_candidates_and_something_changed(swapper, candidate, template, options):
    swapped = swapper.swap(*candidate, template, options)

    assert (candidate[0].shape, np.uint8) == (swapped.image.shape, swapped.image.dtype)
    assert (swapped.image != candidate[0]).any()
    assert 0 < swapped.mask_share < 0.8
    assert isinstance(swapped.warp, WarpMode)


@options
def test_nothing_changes_outside_of_the_stated_box(swapper, candidate, template, options):
    swapped = swapper.swap(*candidate, template, options)
    x0, y0, x1, y1 = swapped.changed_box_px
    rows, columns = np.nonzero((swapped.image != candidate[0]).any(-1))

    assert x0 <= columns.min() and columns.max() < x1
    assert y0 <= rows.min() and rows.max() < y1


@pytest.mark.parametrize("warp", WarpMode)
def test_strength_zero_returns_the_candidates_pixels(swapper, candidate, template, warp):
    swapped = swapper.swap(*candidate, template, FuseOptions(strength=0.0, warp=warp))

    assert (candidate[0] == swapped.image).all()


def test_transform_takes_the_templates_eyes_to_the_candidates(swapper, candidate, template):
    transform = swapper.swap(*candidate, template, FuseOptions()).transform
    eyes = template.face.landmarks5[:2] @ transform[:, :2].T + transform[:, 2]

    # Two shapes in two poses have no similarity that takes all five landmarks along.
    np.testing.assert_allclose(candidate[1].landmarks5[:2], eyes, atol=6.0)


@options
def test_same_request_gives_the_same_bytes_and_inputs_stay(swapper, candidate, template, options):
    before = candidate[0].copy(), template.image.copy()

    first, second = (swapper.swap(*candidate, template, options).image for _ in range(2))

    assert (first == second).all()
    assert (before[0] == candidate[0]).all() and (before[1] == template.image).all()


def test_backend_has_a_name(swapper):
    assert swapper.name in ("fake", "opencv", "swapper.onnx")
