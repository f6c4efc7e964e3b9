"""What the pack's nets read off a picture: words, and the features before them."""

import numpy as np
import onnx
import pytest
from onnx import helper

from loadtests.starter.nets import PortraitNet, open_features, open_scene
from tests.support.trait_net import trait_net


@pytest.mark.parametrize("gemm", [True, False])
def test_a_net_gives_its_words_and_what_its_last_layer_multiplies(tmp_path, gemm):
    trait_net(tmp_path, "scene", gemm)

    words, features = PortraitNet(tmp_path, "scene").read(np.full((32, 32, 3), (51, 255, 102), np.uint8))

    assert words == {"colour": "green"}
    assert features == pytest.approx([0.2, 1.0, 0.4], abs=1e-3)


def test_a_net_without_a_linear_end_is_refused(tmp_path):
    trait_net(tmp_path, "scene")
    model = onnx.load(tmp_path / "scene.onnx")
    model.graph.node[-1].CopyFrom(helper.make_node("Relu", ["mixed"], ["colour"]))
    onnx.save(model, tmp_path / "scene.onnx")

    with pytest.raises(ValueError, match="not linear"):
        PortraitNet(tmp_path, "scene")


def test_features_are_the_scene_nets_where_there_is_one(tmp_path):
    trait_net(tmp_path / "attributes", "attributes")
    assert open_scene(tmp_path) is None
    assert open_features(tmp_path).name == "attributes"

    trait_net(tmp_path / "scene", "scene")
    assert open_features(tmp_path).name == "scene"
