"""What every `FaceSwapper` promises."""

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeSwapper
from services.fusion.adapters.opencv_swapper import OpenCvSwapper
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import BlendMode, FuseOptions, Template, WarpMode
from tests.support.drawn_face import box_of, draw_face


def faced(**how):
    image, landmarks = draw_face(**how)
    return image, Face(box_of(landmarks), landmarks)


@pytest.fixture(params=[FakeSwapper, OpenCvSwapper])
def swapper(request):
    return request.param()


@pytest.fixture
def candidate():
    return faced()


@pytest.fixture
def template():
    image, face = faced(size=(180, 200), centre=(100, 90), scale=1.0, angle_deg=-10, skin=(120, 90, 70))
    return Template("reference 1", image, face)


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


@options
def test_nothing_changes_outside_of_the_stated_box(swapper, candidate, template, options):
    swapped = swapper.swap(*candidate, template, options)
    x0, y0, x1, y1 = swapped.changed_box_px
    rows, columns = np.nonzero((swapped.image != candidate[0]).any(-1))

    assert x0 <= columns.min() and columns.max() < x1
    assert y0 <= rows.min() and rows.max() < y1


def test_strength_zero_returns_the_candidates_pixels(swapper, candidate, template):
    assert (candidate[0] == swapper.swap(*candidate, template, FuseOptions(strength=0.0)).image).all()


def test_transform_takes_the_templates_eyes_to_the_candidates(swapper, candidate, template):
    transform = swapper.swap(*candidate, template, FuseOptions()).transform
    eyes = template.face.landmarks5[:2] @ transform[:, :2].T + transform[:, 2]

    np.testing.assert_allclose(candidate[1].landmarks5[:2], eyes, atol=1.0)


@options
def test_same_request_gives_the_same_bytes_and_inputs_stay(swapper, candidate, template, options):
    before = candidate[0].copy(), template.image.copy()

    first, second = (swapper.swap(*candidate, template, options).image for _ in range(2))

    assert (first == second).all()
    assert (before[0] == candidate[0]).all() and (before[1] == template.image).all()
