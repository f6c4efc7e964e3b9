import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from services.face_analysis.adapters.attributes_onnx import OnnxAttributeModel
from services.face_analysis.adapters.head_crop import crop_head
from services.face_analysis.domain.faces import DetectedFace
from shared.errors.common import ModelMissing

LABELS = {"sex": ["female", "male"], "tint": ["red", "green", "blue"]}


def write_model(folder, labels=LABELS) -> None:
    """The colour of the crop decides: logits are the mean channels, and red less blue."""
    red_less_blue = np.array([[10, 0, -10], [-10, 0, 10]], np.float32)
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["channels"]),
        helper.make_node("Gemm", ["channels", "sex_w"], ["sex"], transB=1),
        helper.make_node("Gemm", ["channels", "tint_w"], ["tint"], transB=1),
    ]
    weights = [
        numpy_helper.from_array(red_less_blue, "sex_w"),
        numpy_helper.from_array(np.eye(3, dtype=np.float32) * 5, "tint_w"),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 16, 16])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        for name, size in (("sex", 2), ("tint", 3))
    ]
    graph = helper.make_graph(nodes, "attributes", [image], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "attributes.onnx"))
    card = {"crop": {"box_scale": 2.0, "size_px": 16}, "labels": labels}
    (folder / "attributes.json").write_text(json.dumps(card))


def face_at(*box: float) -> DetectedFace:
    return DetectedFace(box, np.zeros((5, 2), np.float32), 1.0, 1.0, has_hog_box=True)


def test_guesses_follow_the_pixels_and_sum_to_one(tmp_path):
    write_model(tmp_path)
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[..., 0] = 255

    guesses = OnnxAttributeModel(tmp_path).guess(picture, face_at(20, 20, 40, 40))

    assert guesses["sex"].value == "female" and guesses["tint"].value == "red"
    assert guesses["tint"].confidence == pytest.approx(np.exp(5) / (np.exp(5) + 2), rel=1e-4)
    assert all(sum(guess.scores.values()) == pytest.approx(1) for guess in guesses.values())


def test_labels_are_those_of_the_card(tmp_path):
    write_model(tmp_path)

    assert OnnxAttributeModel(tmp_path).labels == {k: tuple(v) for k, v in LABELS.items()}


@pytest.mark.parametrize("absent", ["attributes.onnx", "attributes.json"])
def test_absent_file_is_named_with_the_command_that_gets_it(tmp_path, absent):
    write_model(tmp_path)
    (tmp_path / absent).unlink()

    with pytest.raises(ModelMissing) as error:
        OnnxAttributeModel(tmp_path)

    assert absent in error.value.message and "starter" in error.value.remedy


def test_card_of_another_model_is_refused(tmp_path):
    write_model(tmp_path, {**LABELS, "sex": ["female", "male", "other"]})

    with pytest.raises(ValueError, match="does not describe"):
        OnnxAttributeModel(tmp_path)


class TestCrop:
    def test_is_centred_on_the_box_and_scaled(self):
        picture = np.zeros((100, 100, 3), np.uint8)
        picture[40:60, 40:60] = 255

        crop = crop_head(picture, (40, 40, 60, 60), 2.0, 40).rgb

        assert crop[10:30, 10:30].min() == 255
        assert crop[:10].max() == 0 and crop[:, 30:].max() == 0

    def test_repeats_the_edge_outside_of_the_picture(self):
        picture = np.full((20, 20, 3), 77, np.uint8)

        crop = crop_head(picture, (-30, 10, 10, 50), 3.0, 24)

        assert np.unique(crop.rgb).tolist() == [77] and crop.box_px == (-70, -30, 50, 90)
        assert crop.picture_px_per_px == 5

    def test_a_very_large_square_is_reduced_first_and_shows_the_same(self):
        picture = np.zeros((900, 1200, 3), np.uint8)
        picture[:, 600:] = 200

        crop = crop_head(picture, (500, 350, 700, 550), 3.0, 16)

        assert crop.box_px == (300, 150, 900, 750)
        assert crop.rgb[:, :7].max() == 0 and crop.rgb[:, 9:].min() == 200
