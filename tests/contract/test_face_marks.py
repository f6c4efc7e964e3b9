"""What every `MarkFinder` and `MarkPainter` promises."""

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeMarks
from services.fusion.adapters.opencv_marks import OpenCvMarks
from services.fusion.domain.face import Face
from services.fusion.domain.marks import Mark, RecurringMark
from tests.support.drawn_face import box_of, draw_face

ON_THE_CHEEK = RecurringMark(Mark(0.6, 0.6, 0.05, 0.5, 2.0, 2.0, 0.9), 3)
FAR_OFF = RecurringMark(Mark(3.0, 3.0, 0.05, 0.5, 2.0, 2.0, 0.9), 3)


@pytest.fixture(params=[FakeMarks, OpenCvMarks])
def marks(request):
    return request.param()


@pytest.fixture
def faced():
    image, landmarks = draw_face(noise_seed=0)
    return image, Face(box_of(landmarks), landmarks)


def test_face_without_marks_gives_an_empty_list(marks, faced):
    assert marks.find(*faced) == []


def test_painted_mark_is_dark_and_where_it_is_said_to_be(marks, faced):
    painted, (mark,) = marks.paint(*faced, [ON_THE_CHEEK])
    x, y = round(mark.x_px), round(mark.y_px)

    assert painted[y, x].mean() < 0.85 * faced[0][y, x].mean()
    assert (mark.confidence, mark.seen_in, mark.already_there) == (0.9, 3, False)


def test_mark_outside_of_the_face_is_left_out(marks, faced):
    painted, placed = marks.paint(*faced, [FAR_OFF])

    assert placed == []
    assert (faced[0] == painted).all()


def test_input_is_not_written_to(marks, faced):
    before = faced[0].copy()

    marks.paint(*faced, [ON_THE_CHEEK])

    assert (before == faced[0]).all()


def test_nothing_to_paint_returns_equal_pixels(marks, faced):
    painted, placed = marks.paint(*faced, [])

    assert (faced[0] == painted).all() and placed == []
    assert np.uint8 == painted.dtype
