"""ONNX files that are small enough to be made in a test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save_upscaler(path: Path, *, fixed_px: int | None = None) -> Path:
    """A net that doubles the size by repeating pixels: the shape of Real-ESRGAN's export."""
    side = [fixed_px, fixed_px] if fixed_px else ["h", "w"]
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    node = helper.make_node("Resize", ["in", "", "scales"], ["out"], mode="nearest")
    return _save(path, [node], [scales], ("in", [1, 3, *side]), ("out", [1, 3, None, None]))


def save_inverter(path: Path) -> Path:
    """A translator that turns each value v into 1 - v."""
    one = numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "one")
    node = helper.make_node("Sub", ["one", "image"], ["drawing"])
    shape = ["n", 3, "h", "w"]
    return _save(path, [node], [one], ("image", shape), ("drawing", shape))


def save_colour_parser(folder: Path, labels: list[str], head: list[str] | None = None) -> Path:
    """A face parser that goes by colour: its four parts are black, red, green and blue; returns *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    kernel = np.concatenate([np.zeros((1, 3)), np.eye(3)]).astype(np.float32).reshape(4, 3, 1, 1)
    weights = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(np.array([0.5, 0, 0, 0], np.float32), "bias"),
    ]
    node = helper.make_node("Conv", ["image", "kernel", "bias"], ["parts"])
    shapes = ("image", [1, 3, 128, 128]), ("parts", [1, 4, 128, 128])
    _save(folder / "parser.onnx", [node], weights, *shapes)
    content = {"labels": labels} if head is None else {"labels": labels, "head": head}
    (folder / "parser.json").write_text(json.dumps(content))
    return folder


def _save(path, nodes, weights, entry, result):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value(entry[0], TensorProto.FLOAT, entry[1])],
        [value(result[0], TensorProto.FLOAT, result[1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
