"""What every `PictureInspector` promises."""

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeInspector
from services.fusion.adapters.opencv_inspector import OpenCvInspector
from services.fusion.domain.face import Face
from services.fusion.domain.structure import PartMap
from tests.support.drawn_face import box_of, draw_face


@pytest.fixture(params=[FakeInspector, OpenCvInspector])
def inspector(request):
    return request.param()


def faced(**how):
    drawn, landmarks = draw_face(**how)
    grain = np.random.default_rng(1).normal(0, 6, drawn.shape)
    image = np.clip(drawn + grain, 0, 255).astype(np.uint8)
    return image, Face(box_of(landmarks), landmarks)


def scores(checks):
    return {check.name: check.score for check in checks}


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


def test_good_face_is_flawless_and_the_input_stays(inspector):
    image, face = faced()
    before = image.copy()

    assert scores(inspector.checks(image, face)) == {"clipped": 1, "flat": 1}
    assert (before == image).all()


def test_blown_out_face_is_severe(inspector):
    image, face = faced()
    x0, y0, x1, y1 = (int(edge) for edge in face.box_px)
    image[y0:y1, x0:x1] = 255

    assert all(check.is_severe for check in inspector.checks(image, face))


def test_face_without_texture_is_flat_but_not_clipped(inspector):
    image, face = faced()
    x0, y0, x1, y1 = (int(edge) for edge in face.box_px)
    image[y0:y1, x0:x1] = (200, 160, 140)

    found = scores(inspector.checks(image, face))

    assert (found["clipped"], found["flat"]) == (1, 0)


def test_face_that_reaches_out_of_the_picture_is_judged_too(inspector):
    image, face = faced(centre=(20, 30))

    assert all(0 <= check.score <= 1 for check in inspector.checks(image, face))


def test_lenses_are_no_flat_skin():
    image, face = faced()
    labels = np.zeros((256, 256), np.uint8)
    x0, y0, x1, y1 = (int(edge) for edge in face.box_px)
    middle = (y0 + y1) // 2
    image[y0:middle, x0:x1] = 0
    labels[y0:middle, x0:x1] = 1
    covered = Face(
        face.box_px, face.landmarks5, parts=PartMap(labels, (0.0, 0.0, 256.0, 256.0), ("skin", "glasses"))
    )

    assert scores(OpenCvInspector().checks(image, covered)) == {"clipped": 1, "flat": 1}
    assert min(scores(OpenCvInspector().checks(image, face)).values()) == 0
