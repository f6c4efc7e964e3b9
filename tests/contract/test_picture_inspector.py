"""What every `PictureInspector` promises."""

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeInspector
from services.fusion.adapters.opencv_inspector import OpenCvInspector
from tests.support.drawn_face import draw_face


@pytest.fixture(params=[FakeInspector, OpenCvInspector])
def inspector(request):
    return request.param()


def test_appearance_is_a_unit_vector_and_alike_for_like_pictures(inspector):
    image = draw_face()[0]
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 2, image.shape), 0, 255).astype(np.uint8)
    other = draw_face(wall=(230, 40, 20), skin=(90, 60, 50), centre=(90, 120), scale=1.0)[0]

    looks = [inspector.appearance(picture) for picture in (image, noisy, other)]

    assert pytest.approx([float(np.linalg.norm(v)) for v in looks], abs=1e-5) == [1, 1, 1]
    assert looks[0] @ looks[1] > 0.98
    assert looks[0] @ looks[2] < 0.9


def test_portrait_has_no_defect_and_a_blank_picture_has(inspector):
    assert inspector.defect(draw_face()[0], "c1") is None
    defect = inspector.defect(np.full((64, 64, 3), 128, np.uint8), "c1")
    assert (defect.reason, defect.metadata["image"]) == ("PICTURE_DEFECT", "c1")
