"""What every structure, mark and quality model must do. One class each; the cases bring the models."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.face_analysis.adapters.fake import FakeBackend
from services.face_analysis.adapters.fake_nets import FakeMarkModel, FakeQualityModel, FakeStructureModel
from services.face_analysis.adapters.marks_onnx import OnnxMarkModel
from services.face_analysis.adapters.quality_onnx import OnnxQualityModel
from services.face_analysis.adapters.structure_onnx import OnnxStructureModel
from services.face_analysis.domain.faces import DetectedFace
from services.face_analysis.domain.nets import MAX_MARKS
from services.face_analysis.optional_nets import STARTER_WEIGHTS
from tests.support import faces, tiny_nets

Opener = Callable[[Path], object]


def starter(name: str, opened: Callable) -> Opener:
    def open_it(_: Path) -> object:
        if not (STARTER_WEIGHTS / name / f"{name}.onnx").is_file():
            pytest.skip(f"starter/weights/{name} is not installed")
        return opened(STARTER_WEIGHTS / name)

    return open_it


STRUCTURES = {
    "fake": lambda folder: FakeStructureModel(),
    "tiny": lambda folder: OnnxStructureModel(tiny_nets.write_structure(folder)),
    "starter": starter("structure", OnnxStructureModel),
}
MARKS = {
    "fake": lambda folder: FakeMarkModel(),
    "tiny": lambda folder: OnnxMarkModel(tiny_nets.write_marks(folder)),
    "starter": starter("marks", OnnxMarkModel),
}
QUALITIES = {
    "fake": lambda folder: FakeQualityModel(),
    "tiny": lambda folder: OnnxQualityModel(tiny_nets.write_quality(folder)),
    "starter": starter("quality", OnnxQualityModel),
}


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return faces.drawn_face(3, size=192, centre=(90, 100), radius=50)


@pytest.fixture(scope="module")
def face(picture) -> DetectedFace:
    return FakeBackend().detect(picture)[0]


def moved(picture: np.ndarray, face: DetectedFace, by: int) -> tuple[np.ndarray, DetectedFace]:
    """The picture with *by* further pixels of its edge on the left and on top."""
    padded = np.pad(picture, ((by, 0), (by, 0), (0, 0)), mode="edge")
    x0, y0, x1, y1 = face.box_px
    shifted = DetectedFace((x0 + by, y0 + by, x1 + by, y1 + by), face.landmarks_px + by, 1, 1)
    return padded, shifted


@pytest.fixture(scope="module", params=STRUCTURES)
def structure_model(request, tmp_path_factory):
    return STRUCTURES[request.param](tmp_path_factory.mktemp("structure"))


class TestStructureModel:
    def test_points_have_visibilities_and_a_scheme(self, structure_model, picture, face):
        landmarks = structure_model.read(picture, face).landmarks

        assert landmarks.scheme
        assert landmarks.points_px.dtype == landmarks.visibility.dtype == np.float32
        assert landmarks.points_px.shape == (len(landmarks.visibility), 2)
        assert np.isfinite(landmarks.points_px).all()
        assert np.all((landmarks.visibility >= 0) & (landmarks.visibility <= 1))

    def test_every_pixel_of_the_map_has_a_part(self, structure_model, picture, face):
        parts = structure_model.read(picture, face).parts

        assert parts.labels.dtype == np.uint8 and parts.labels.shape[0] == parts.labels.shape[1]
        assert parts.labels.max() < len(parts.names) and len(set(parts.names)) == len(parts.names)
        x0, y0, x1, y1 = parts.box_px
        assert x1 - x0 == pytest.approx(y1 - y0) and x1 - x0 >= face.box_px[2] - face.box_px[0]

    def test_structure_moves_with_the_face(self, structure_model, picture, face):
        here, there = structure_model.read(picture, face), structure_model.read(*moved(picture, face, 24))

        assert there.landmarks.points_px - 24 == pytest.approx(here.landmarks.points_px, abs=1.0)
        assert np.array(there.parts.box_px) - 24 == pytest.approx(np.array(here.parts.box_px), abs=1.0)


@pytest.fixture(scope="module", params=MARKS)
def mark_model(request, tmp_path_factory):
    return MARKS[request.param](tmp_path_factory.mktemp("marks"))


class TestMarkModel:
    def test_marks_are_what_a_message_takes_the_surest_first(self, mark_model, picture, face):
        marks = mark_model.find(picture, face)

        assert len(marks) <= MAX_MARKS
        assert all(0 <= mark.confidence <= 1 and 0 < mark.radius_px <= 1024 for mark in marks)
        assert all(mark.kind and mark.kind == mark.kind.lower() for mark in marks)
        confidences = [mark.confidence for mark in marks]
        assert confidences == sorted(confidences, reverse=True)

    def test_a_plain_picture_has_none(self, mark_model, face):
        assert mark_model.find(np.full((192, 192, 3), 120, np.uint8), face) == ()

    def test_the_same_picture_has_the_same_marks(self, mark_model, picture, face):
        assert mark_model.find(picture, face) == mark_model.find(picture, face)


def test_the_fake_finds_a_dark_patch_where_it_is(picture, face):
    spotted = picture.copy()
    x, y = (face.landmarks_px[0] + face.landmarks_px[3]) / 2
    spotted[int(y) - 5 : int(y) + 6, int(x) - 5 : int(x) + 6] = (60, 30, 20)

    surest = FakeMarkModel().find(spotted, face)[0]

    assert abs(surest.x_px - x) < 8 and abs(surest.y_px - y) < 8


@pytest.fixture(scope="module", params=QUALITIES)
def quality_model(request, tmp_path_factory):
    return QUALITIES[request.param](tmp_path_factory.mktemp("quality"))


class TestQualityModel:
    def test_all_numbers_are_shares_and_the_kinds_are_always_the_same(self, quality_model, picture, face):
        sharp, blurred = quality_model.judge(picture, face), quality_model.judge(faces.blurred(picture), face)

        assert sharp.defects.keys() == blurred.defects.keys() and sharp.defects
        for judged in (sharp, blurred):
            assert all(0 <= value <= 1 for value in (judged.quality, *judged.defects.values()))


def test_the_fake_sees_blur(picture, face):
    sharp, blurred = (FakeQualityModel().judge(p, face) for p in (picture, faces.blurred(picture)))

    assert blurred.quality < sharp.quality and blurred.defects["blur"] > sharp.defects["blur"]
