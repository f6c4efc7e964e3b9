import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.face_analysis.adapters.dlib_backend import DlibBackend
from services.face_analysis.domain.faces import DetectedFace
from services.face_analysis.domain.geometry import ARCFACE_TEMPLATE_PX
from services.face_analysis.domain.head_box import box_from_landmarks, cut_box
from tests.support import faces


@given(st.floats(0.1, 20), st.floats(-500, 2000), st.floats(-500, 2000))
def test_box_moves_and_grows_with_the_landmarks(scale, x, y):
    moved = (ARCFACE_TEMPLATE_PX * scale + [x, y]).astype(np.float32)

    still, there = np.array(box_from_landmarks(ARCFACE_TEMPLATE_PX)), np.array(box_from_landmarks(moved))

    assert there == pytest.approx(still * scale + np.array([x, y, x, y]), abs=1e-2 * scale + 1e-3)


def test_box_is_an_upright_square_around_the_face_also_where_the_head_leans():
    turn = np.radians(20)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    leaning = ARCFACE_TEMPLATE_PX @ matrix.T

    x0, y0, x1, y1 = box_from_landmarks(leaning)

    assert x1 - x0 == pytest.approx(y1 - y0)
    assert np.all(leaning > [x0, y0]) and np.all(leaning < [x1, y1])


@pytest.mark.parametrize("person", [0, 1, 2])
def test_box_is_near_dlibs_own(person):
    [face] = DlibBackend().detect(faces.sample(person))
    side = face.box_px[2] - face.box_px[0]

    derived = np.array(box_from_landmarks(face.landmarks_px))

    # dlib's sizes go in steps of a fifth, hence the tenth.
    assert np.abs(derived - np.array(face.box_px)).max() < 0.12 * side


def test_a_detectors_own_box_is_taken_where_it_is_dlibs():
    box, landmarks = (1.0, 2.0, 31.0, 32.0), ARCFACE_TEMPLATE_PX.astype(np.float32)

    assert cut_box(DetectedFace(box, landmarks, 1, 1, has_hog_box=True)) == box
    assert cut_box(DetectedFace(box, landmarks, 1, 1)) == box_from_landmarks(landmarks)


def test_coinciding_landmarks_give_no_box():
    with pytest.raises(ValueError):
        box_from_landmarks(np.zeros((5, 2), np.float32))
