"""The adapters of the small nets, on nets whose answers are known."""

import json

import numpy as np
import pytest

from services.face_analysis.adapters.marks_onnx import OnnxMarkModel
from services.face_analysis.adapters.quality_onnx import OnnxQualityModel
from services.face_analysis.adapters.structure_onnx import OnnxStructureModel, scheme_of
from services.face_analysis.domain.faces import DetectedFace
from services.fusion.domain.structure import SCHEME, mean_face
from shared.errors.common import ModelMissing
from tests.support import tiny_nets

OPEN = {
    "structure": (tiny_nets.write_structure, OnnxStructureModel),
    "marks": (tiny_nets.write_marks, OnnxMarkModel),
    "quality": (tiny_nets.write_quality, OnnxQualityModel),
}


def face_at(*box: float) -> DetectedFace:
    return DetectedFace(box, np.zeros((5, 2), np.float32), 1.0, 1.0, has_hog_box=True)


class TestStructure:
    def test_points_are_in_pixels_of_the_picture_and_may_lie_outside_of_the_crop(self, tmp_path):
        model = OnnxStructureModel(tiny_nets.write_structure(tmp_path))

        # Twice the box around its centre: the square from (40, 20) to (80, 60).
        landmarks = model.read(np.zeros((100, 120, 3), np.uint8), face_at(50, 30, 70, 50)).landmarks

        assert landmarks.points_px.tolist() == [[50, 40], [70, 40], [60, 70]]
        assert landmarks.visibility == pytest.approx([0.982, 0.982, 0.018], abs=1e-3)

    def test_part_map_covers_the_square_of_the_card(self, tmp_path):
        picture = np.zeros((100, 120, 3), np.uint8)
        picture[20:40, 40:80] = (255, 0, 0)
        picture[40:60, 60:80] = (0, 255, 0)
        model = OnnxStructureModel(tiny_nets.write_structure(tmp_path))

        parts = model.read(picture, face_at(50, 30, 70, 50)).parts

        assert parts.box_px == (40, 20, 80, 60) and parts.names == tiny_nets.PARTS
        assert parts.labels.shape == (tiny_nets.SIZE, tiny_nets.SIZE) and parts.labels.dtype == np.uint8
        assert set(parts.labels[:15].ravel()) == {1}
        assert set(parts.labels[17:, 17:].ravel()) == {2} and set(parts.labels[17:, :15].ravel()) == {0}

    def test_points_of_the_known_scheme_are_recognised_by_their_names_and_order(self):
        names = mean_face().names

        assert scheme_of(names) == SCHEME
        assert scheme_of(names[::-1]) != SCHEME and scheme_of(tiny_nets.POINTS) != SCHEME


class TestMarks:
    def test_peaks_become_marks_in_pixels_of_the_picture_the_surest_first(self, tmp_path):
        picture = np.zeros((100, 120, 3), np.uint8)
        # The crop is 64 px for 32: cell (row 3, column 5) is 4 px a side from (14 + 20, 12), its last
        # pixel of the crop the 2 x 2 block two further.
        picture[12:16, 36:40] = (0, 204, 0)
        picture[30:32, 16:18] = (255, 0, 0)
        model = OnnxMarkModel(tiny_nets.write_marks(tmp_path))

        marks = model.find(picture, face_at(30, 16, 62, 48))

        assert [(mark.kind, mark.confidence) for mark in marks] == [
            ("mole", 1.0),
            ("scar", pytest.approx(0.8)),
        ]
        mole, scar = marks
        assert (mole.x_px, mole.y_px) == (14 + 0.25 * 4, 28 + 0.75 * 4)
        assert (scar.x_px, scar.y_px) == (34 + 4 * 0.25, 12 + 4 * 0.75)
        assert mole.radius_px == 3.0 * 64 / 32

    def test_the_cards_threshold_holds_unless_another_is_given(self, tmp_path):
        picture = np.full((40, 40, 3), (100, 0, 0), np.uint8)
        folder = tiny_nets.write_marks(tmp_path)

        assert OnnxMarkModel(folder).find(picture, face_at(10, 10, 26, 26)) == ()
        assert len(OnnxMarkModel(folder, threshold=0.3).find(picture, face_at(10, 10, 26, 26))) == 256

    def test_a_radius_is_one_that_a_message_takes(self, tmp_path):
        picture = np.full((400, 400, 3), 255, np.uint8)

        marks = OnnxMarkModel(tiny_nets.write_marks(tmp_path)).find(picture, face_at(-9000, 0, 9000, 18000))

        assert {mark.radius_px for mark in marks} == {1024.0}


class TestQuality:
    def test_quality_and_defects_are_told_by_name(self, tmp_path):
        picture = np.full((60, 60, 3), (204, 51, 102), np.uint8)

        judged = OnnxQualityModel(tiny_nets.write_quality(tmp_path)).judge(picture, face_at(20, 20, 40, 40))

        assert judged.quality == pytest.approx(0.8, abs=1e-4)
        assert judged.defects == pytest.approx({"blur": 0.2, "noise": 0.4}, abs=1e-4)


@pytest.mark.parametrize("name", OPEN)
class TestFiles:
    @pytest.mark.parametrize("suffix", ["onnx", "json"])
    def test_absent_file_is_named_with_the_command_that_gets_it(self, tmp_path, name, suffix):
        write, model = OPEN[name]
        (write(tmp_path) / f"{name}.{suffix}").unlink()

        with pytest.raises(ModelMissing) as error:
            model(tmp_path)

        assert f"{name}.{suffix}" in error.value.message
        assert f"starter/weights/{name}" in error.value.remedy

    def test_card_without_a_crop_is_refused(self, tmp_path, name):
        write, model = OPEN[name]
        card = write(tmp_path) / f"{name}.json"
        content = json.loads(card.read_text())
        del content["crop"]
        card.write_text(json.dumps(content))

        with pytest.raises(ValueError, match="the crop"):
            model(tmp_path)

    def test_net_of_another_kind_is_refused(self, tmp_path, name):
        write, model = OPEN[name]
        other = "quality" if name != "quality" else "marks"
        write(tmp_path)
        (OPEN[other][0](tmp_path / "other") / f"{other}.onnx").replace(tmp_path / f"{name}.onnx")

        with pytest.raises(ValueError, match="does not describe"):
            model(tmp_path)


@pytest.mark.parametrize(
    ("name", "card"),
    [("structure", {"labels": ["a"]}), ("marks", {"kinds": ["a"]}), ("quality", {"labels": ["a"]})],
)
def test_card_with_other_labels_is_refused(tmp_path, name, card):
    write, model = OPEN[name]

    with pytest.raises(ValueError, match="does not describe"):
        model(write(tmp_path, **card))
