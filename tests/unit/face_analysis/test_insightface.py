import numpy as np
import onnxruntime
import pytest

from services.face_analysis.adapters.insightface import open_insightface
from services.face_analysis.adapters.scrfd import Scrfd, non_maximum_suppression
from services.face_analysis.domain.geometry import align_face
from shared.errors.common import ModelMissing
from tests.support.insightface_models import (
    POINTS,
    cells_picture,
    expected_box,
    write_detector,
    write_recogniser,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return write_detector(folder / "det.onnx"), write_recogniser(folder / "rec.onnx")


def opened(files, **changes):
    return open_insightface(*files, same_person_similarity=0.4, same_set_similarity=0.3, **changes)


def scrfd(path, **changes) -> Scrfd:
    return Scrfd(onnxruntime.InferenceSession(str(path)), **changes)


class TestScrfd:
    @pytest.mark.parametrize("cell", [(32, 1, 2), (32, 4, 0), (8, 10, 3), (8, 0, 19)])
    def test_boxes_and_landmarks_are_decoded_from_strides_and_anchors(self, files, cell):
        found = scrfd(files[0]).detect(cells_picture(cell))

        assert found.boxes_px == pytest.approx(np.array([expected_box(*cell)]), abs=1e-3)
        stride, column, row = cell
        points = (np.array(POINTS).reshape(5, 2) + np.array([column, row])) * stride
        assert found.landmarks_px[0] == pytest.approx(points, abs=1e-3)
        assert 0.9 < found.scores[0] < 1, "of two anchors with one box the better is kept"

    def test_larger_pictures_are_fitted_and_the_answer_is_in_their_pixels(self, files):
        double = np.kron(cells_picture((32, 1, 2)), np.ones((2, 2, 1), np.uint8))

        found = scrfd(files[0]).detect(double)

        assert found.boxes_px == pytest.approx(2 * np.array([expected_box(32, 1, 2)]), abs=1e-3)

    def test_wide_pictures_keep_their_aspect(self, files):
        wide = cells_picture((32, 3, 0))[:96]

        found = scrfd(files[0]).detect(wide)

        assert found.boxes_px == pytest.approx(np.array([expected_box(32, 3, 0)]), abs=1e-3)

    def test_all_strides_are_read(self, files):
        found = scrfd(files[0]).detect(cells_picture((32, 0, 0), (8, 15, 15), (8, 2, 15)))

        assert len(found.boxes_px) == 3

    def test_minimum_score_is_a_limit(self, files):
        picture = cells_picture((32, 1, 1))

        assert len(scrfd(files[0], min_score=0.999).detect(picture).boxes_px) == 0

    def test_a_net_without_landmarks_is_refused_at_start(self, tmp_path):
        with pytest.raises(ValueError, match="not an SCRFD"):
            scrfd(write_detector(tmp_path / "two.onnx", outputs_per_level=2))


class TestNonMaximumSuppression:
    def test_overlapping_boxes_are_reduced_to_the_best(self):
        boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], np.float32)

        assert non_maximum_suppression(boxes, np.array([0.6, 0.9, 0.7], np.float32), 0.4) == [1, 2]

    def test_boxes_that_share_less_are_kept(self):
        boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10]], np.float32)
        assert 50 / 150 < 0.4

        assert non_maximum_suppression(boxes, np.array([0.6, 0.9], np.float32), 0.4) == [1, 0]

    def test_nothing_stays_nothing(self):
        assert non_maximum_suppression(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.4) == []


class TestBackend:
    def test_recogniser_sees_the_aligned_face_in_the_stated_range(self, files):
        backend = opened(files)
        picture = cells_picture((32, 2, 2), seed=1)
        found = backend.detect(picture)

        embedding = backend.embed(picture, found)[0]

        aligned = align_face(picture, found[0].landmarks_px).astype(np.float32)
        session = onnxruntime.InferenceSession(str(files[1]))
        raw = session.run(None, {"image": ((aligned - 127.5) / 127.5).transpose(2, 0, 1)[None]})[0][0]
        assert embedding == pytest.approx(raw / np.linalg.norm(raw), abs=1e-5)

    def test_raw_range_for_exports_that_normalise_themselves(self, files):
        picture = cells_picture((32, 2, 2), seed=1)
        usual, raw = opened(files), opened(files, half_range=0)

        found = usual.detect(picture)

        assert not np.allclose(usual.embed(picture, found), raw.embed(picture, found), atol=1e-3)

    def test_embeddings_name_the_recogniser_so_that_others_are_not_compared(self, files):
        info = opened(files).info

        assert info.embedding_model == "insightface-rec"
        assert info.embedding_dimension == 512

    def test_licence_is_said_for_every_file(self, files):
        assert all("non-commercial" in file.licence for file in opened(files).info.models)

    @pytest.mark.parametrize("position", [0, 1])
    def test_absent_file_names_itself_its_licence_and_the_command(self, files, tmp_path, position):
        pair = list(files)
        pair[position] = tmp_path / "absent.onnx"

        with pytest.raises(ModelMissing) as error:
            opened(pair)

        assert "absent.onnx" in error.value.message
        assert "non-commercial" in error.value.message
        assert "insightface-cli" in error.value.message

    def test_recogniser_of_another_input_is_refused(self, files, tmp_path):
        other = write_recogniser(tmp_path / "other.onnx", side_px=128)

        with pytest.raises(ValueError, match="112"):
            opened((files[0], other))
