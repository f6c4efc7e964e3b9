"""What every `MarkFinder` and `MarkPainter` promises."""

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeMarks
from services.fusion.adapters.opencv_marks import OpenCvMarks
from services.fusion.domain.exemplars import Exemplar, Stroke
from services.fusion.domain.face import Face
from services.fusion.domain.marks import RecurringMark, Sighting
from services.fusion.domain.placement import PlacedMark
from tests.support.drawn_face import box_of, draw_face

RED = (255, 0, 0)


@pytest.fixture(params=[FakeMarks, OpenCvMarks])
def marks(request):
    return request.param()


@pytest.fixture
def faced():
    image, landmarks = draw_face(noise_seed=0)
    return image, Face(box_of(landmarks), landmarks)


@pytest.fixture
def photo():
    """Skin with a red and dark spot around (60.5, 70.5), and nothing around (30, 30)."""
    picture = np.full((128, 128, 3), (205, 160, 135), np.uint8)
    y, x = np.mgrid[0:128, 0:128]
    picture[np.hypot(x - 60, y - 70) <= 3] = (120, 60, 50)
    return picture


def stroke(x, y, source=(60.5, 70.5), kind="mole"):
    mark = RecurringMark(kind, 0.6, 0.6, 0.05, 0.9, {0: Sighting(kind, 0.6, 0.6, 0.05, 0.9)}, 1)
    placed = PlacedMark(mark, x, y, 3.0, (60.0, 0.0, 0.0, 60.0))
    return Stroke(placed, (Exemplar(0, *source, 3.0, (1.0, 0.0, 0.0, 1.0), 1.0),))


def test_face_without_marks_gives_an_empty_list(marks, faced):
    assert marks.find(*faced) == []


def test_painted_mark_is_dark_and_where_it_is_said_to_be(marks, faced, photo):
    painted, done = marks.paint(faced[0], [stroke(160.5, 150.5)], lambda number: photo)

    assert done == [True]
    assert painted[150, 160].mean() < 0.8 * faced[0][150, 160].mean()
    rows, columns = np.nonzero((painted != faced[0]).any(-1))
    assert np.abs(rows - 150).max() <= 8 and np.abs(columns - 160).max() <= 8


def test_photo_that_does_not_set_the_mark_off_leaves_it_out(marks, faced):
    even = np.full((128, 128, 3), 150, np.uint8)

    painted, done = marks.paint(faced[0], [stroke(160.5, 150.5)], lambda number: even)

    assert done == [False]
    assert (painted == faced[0]).all()


def test_neither_picture_is_written_to(marks, faced, photo):
    before, source = faced[0].copy(), photo.copy()

    marks.paint(faced[0], [stroke(160.5, 150.5)], lambda number: photo)

    assert (before == faced[0]).all() and (source == photo).all()


def test_nothing_to_paint_returns_equal_pixels_and_asks_for_no_photo(marks, faced):
    painted, done = marks.paint(faced[0], [], pytest.fail)

    assert (faced[0] == painted).all() and done == []
    assert np.uint8 == painted.dtype


def test_mark_at_the_edge_of_the_picture_is_cut_off(marks, faced, photo):
    painted, done = marks.paint(faced[0], [stroke(0.5, 255.5)], lambda number: photo)

    assert painted.shape == faced[0].shape and done == [True]


def test_the_same_request_gives_the_same_pixels(marks, faced, photo):
    strokes = [stroke(160.5, 150.5), stroke(100.0, 170.0)]

    first, second = (marks.paint(faced[0], strokes, lambda number: photo)[0] for _ in range(2))

    assert (first == second).all()
