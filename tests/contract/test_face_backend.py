"""What every face backend must do. One class; each backend brings pictures that it finds faces in.

insightface cannot run with its own weights here: it runs with nets of the same shape whose answers are known.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from services.face_analysis.adapters.dlib_backend import DlibBackend
from services.face_analysis.adapters.fake import FakeBackend
from services.face_analysis.adapters.insightface import open_insightface
from services.face_analysis.domain.backend import FaceBackend
from services.face_analysis.domain.faces import area_px, cosine_similarity
from tests.support import faces, insightface_models


@dataclass(frozen=True)
class Case:
    backend: FaceBackend
    one_face: np.ndarray
    one_face_moved: np.ndarray
    """The same face elsewhere in the picture."""
    two_faces: np.ndarray
    """The larger one is found second by a scan from the top left."""


def dlib_case(_: object) -> Case:
    person, other = faces.sample(0), faces.sample(1)
    moved = np.pad(person, ((40, 8), (64, 16), (0, 0)), mode="edge")
    small = faces.resized(other, 176)
    two = np.full((256, 432, 3), 128, np.uint8)
    two[:176, :176], two[:, 176:] = small, person
    return Case(DlibBackend(), person, moved, two)


def fake_case(_: object) -> Case:
    two = faces.drawn_face(1, size=192, centre=(40, 50), radius=24)
    faces.draw_face(two, 2, (130, 120), 44)
    moved = np.roll(faces.drawn_face(1), (16, -16), axis=(0, 1))
    return Case(FakeBackend(), faces.drawn_face(1), moved, two)


def insightface_case(folder) -> Case:
    backend = open_insightface(
        insightface_models.write_detector(folder / "det.onnx"),
        insightface_models.write_recogniser(folder / "rec.onnx"),
        same_person_similarity=0.4,
        same_set_similarity=0.3,
    )
    picture = insightface_models.cells_picture
    return Case(
        backend,
        picture((32, 1, 1)),
        picture((32, 3, 2)),
        picture((8, 2, 2), (32, 2, 2), seed=3),
    )


CASES: dict[str, Callable] = {"fake": fake_case, "dlib": dlib_case, "insightface": insightface_case}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory) -> Case:
    return CASES[request.param](tmp_path_factory.mktemp("models"))


class TestFaceBackend:
    def test_info_says_what_a_caller_must_know(self, case):
        info = case.backend.info

        assert info.embedding_dimension >= 64
        assert -1 < info.same_person_similarity < 1
        assert -1 < info.metric.same_set_similarity < 1
        assert info.min_face_px > 0
        assert info.name and info.embedding_model
        assert all(file.licence and file.purpose for file in info.models)

    def test_picture_without_a_face_gives_an_empty_list_and_no_embeddings(self, case):
        picture = np.full((96, 128, 3), (20, 40, 200), np.uint8)

        assert case.backend.detect(picture) == []
        assert case.backend.embed(picture, []).shape == (0, case.backend.info.embedding_dimension)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 2), (17, 23)])
    def test_pictures_too_small_for_a_face_are_no_error(self, case, shape):
        assert case.backend.detect(np.full((*shape, 3), 127, np.uint8)) == []

    def test_one_face_has_a_box_and_landmarks_in_the_agreed_order(self, case):
        [face] = case.backend.detect(case.one_face)

        assert area_px(face.box_px) > 0
        assert face.landmarks_px.shape == (5, 2) and face.landmarks_px.dtype == np.float32
        left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks_px
        assert left_eye[0] < nose[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
        x0, y0, x1, y1 = face.box_px
        assert np.all(face.landmarks_px >= [x0, y0]) and np.all(face.landmarks_px <= [x1, y1])
        assert 0 < face.detection_confidence <= 1
        assert 0 <= face.landmark_confidence <= 1

    def test_faces_come_largest_first(self, case):
        found = case.backend.detect(case.two_faces)

        assert len(found) == 2
        assert area_px(found[0].box_px) > area_px(found[1].box_px)

    def test_embeddings_are_one_unit_row_per_face(self, case):
        found = case.backend.detect(case.two_faces)

        embeddings = case.backend.embed(case.two_faces, found)

        assert embeddings.shape == (2, case.backend.info.embedding_dimension)
        assert embeddings.dtype == np.float32
        assert np.linalg.norm(embeddings, axis=1) == pytest.approx([1, 1], abs=1e-5)

    def test_embeddings_keep_the_order_of_the_faces_asked_for(self, case):
        found = case.backend.detect(case.two_faces)

        forward = case.backend.embed(case.two_faces, found)
        backward = case.backend.embed(case.two_faces, found[::-1])

        assert np.array_equal(forward, backward[::-1])
        assert cosine_similarity(forward[0], forward[1]) < 0.999

    def test_same_picture_gives_the_same_answer(self, case):
        first, second = (case.backend.detect(case.one_face) for _ in range(2))

        assert first[0].box_px == second[0].box_px
        assert np.array_equal(first[0].landmarks_px, second[0].landmarks_px)
        embedded = [case.backend.embed(case.one_face, found) for found in (first, second)]
        assert np.array_equal(embedded[0], embedded[1])

    def test_embedding_follows_the_face_when_it_moves(self, case):
        pictures = (case.one_face, case.one_face_moved)
        here, there = (case.backend.embed(p, case.backend.detect(p))[0] for p in pictures)

        assert cosine_similarity(here, there) > 0.98

    def test_picture_is_left_as_it_was(self, case):
        before = case.one_face.copy()

        case.backend.embed(case.one_face, case.backend.detect(case.one_face))

        assert np.array_equal(before, case.one_face)

    def test_views_into_other_arrays_are_accepted(self, case):
        view = np.repeat(case.one_face, 2, axis=1)[:, ::2]
        assert not view.flags.c_contiguous

        [face] = case.backend.detect(view)

        [straight] = case.backend.detect(case.one_face)
        assert face.box_px == straight.box_px
        assert np.array_equal(case.backend.embed(view, [face]), case.backend.embed(case.one_face, [straight]))
