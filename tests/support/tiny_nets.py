"""Structure, mark and quality nets with known answers, each small enough to be made in a test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 32
PARTS = ("background", "skin", "hair")
POINTS = ("left", "right", "chin")
PLACES = ((0.25, 0.5), (0.75, 0.5), (0.5, 1.25))
"""Of the points, in [0, 1] of the crop; the chin lies outside."""
KINDS = ("mole", "scar")
LABELS = ("blur", "noise")


def write_structure(folder: Path, **card: object) -> Path:
    """Parts go by colour: black is background, red skin, green hair. Points stay; the last is hidden."""
    kernel = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).reshape(3, 3, 1, 1)
    weights = {
        "kernel": kernel,
        "bias": np.array([0.5, 0, 0], np.float32),
        "places": np.array(PLACES, np.float32)[None],
        "shown": np.array([[4.0, 4.0, -4.0]], np.float32),
        "none": np.zeros((1, 3), np.float32),
        "none2": np.zeros((1, 3, 1), np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["image", "kernel", "bias"], ["parts"]),
        *_per_picture("visible", "shown", "none"),
        helper.make_node("Unsqueeze", ["visible_zeros", "two"], ["spread"]),
        helper.make_node("Add", ["spread", "places"], ["landmarks"]),
    ]
    weights["two"] = np.array([2], np.int64)
    outputs = {
        "parts": ["batch", 3, SIZE, SIZE],
        "landmarks": ["batch", "points", 2],
        "visible": ["batch", 3],
    }
    return _write(
        folder, "structure", nodes, weights, outputs, {"labels": PARTS, "landmarks": POINTS, **card}
    )


def write_marks(folder: Path, **card: object) -> Path:
    """Cells of 2 px: the red of the lower right pixel is the confidence in a mole, its green in a scar."""
    pick = np.zeros((2, 3, 2, 2), np.float32)
    pick[0, 0, 1, 1] = pick[1, 1, 1, 1] = 1
    still = np.zeros((2, 3, 2, 2), np.float32)
    weights = {
        "pick": pick,
        "still": still,
        "at": np.array([0.25, 0.75], np.float32),
        "still1": still[:1],
        "wide": np.array([3.0], np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["image", "pick"], ["heat"], strides=[2, 2]),
        helper.make_node("Conv", ["image", "still", "at"], ["offset"], strides=[2, 2]),
        helper.make_node("Conv", ["image", "still1", "wide"], ["radius"], strides=[2, 2]),
    ]
    cells = SIZE // 2
    outputs = {
        "heat": ["batch", 2, cells, cells],
        "offset": ["batch", 2, cells, cells],
        "radius": ["batch", 1, cells, cells],
    }
    content = {"kinds": KINDS, "cell_px": 2, "threshold": 0.5, **card}
    return _write(folder, "marks", nodes, weights, outputs, content)


def write_quality(folder: Path, **card: object) -> Path:
    """The quality is the mean red; the defects are the mean green and the mean blue."""
    weights = {
        "red": np.array([[1, 0, 0]], np.float32),
        "rest": np.array([[0, 1, 0], [0, 0, 1]], np.float32),
        "flat": np.array([-1], np.int64),
    }
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["channels"]),
        helper.make_node("Gemm", ["channels", "red"], ["quality_row"], transB=1),
        helper.make_node("Reshape", ["quality_row", "flat"], ["quality"]),
        helper.make_node("Gemm", ["channels", "rest"], ["defects"], transB=1),
    ]
    outputs = {"quality": ["batch"], "defects": ["batch", 2]}
    return _write(folder, "quality", nodes, weights, outputs, {"labels": LABELS, **card})


def _per_picture(name: str, constant: str, zeros: str) -> list[onnx.NodeProto]:
    """A constant row for each picture of the batch."""
    return [
        helper.make_node("GlobalAveragePool", ["image"], [f"{name}_pooled"]),
        helper.make_node("Flatten", [f"{name}_pooled"], [f"{name}_flat"]),
        helper.make_node("Mul", [f"{name}_flat", zeros], [f"{name}_zeros"]),
        helper.make_node("Add", [f"{name}_zeros", constant], [name]),
    ]


def _write(folder, name, nodes, weights, outputs, card) -> Path:
    value = helper.make_tensor_value_info
    used = {entry for node in nodes for entry in node.input}
    tensors = [numpy_helper.from_array(array, key) for key, array in weights.items() if key in used]
    image = value("image", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])
    results = [value(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()]
    graph = helper.make_graph(nodes, name, [image], results, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / f"{name}.onnx"))
    content = {"crop": {"box_scale": 2.0, "size_px": SIZE}, **card}
    (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
