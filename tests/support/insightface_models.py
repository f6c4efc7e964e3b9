"""ONNX files of the shape of insightface's, with weights made here: known answers, and no licence needed."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)
SIDE_PX = 160
# Distances of the box's sides and offsets of the landmarks from the anchor, in strides.
SIDES = (0.25, 0.5, 1.25, 1.5)
POINTS = (0.2, 0.3, 0.8, 0.3, 0.5, 0.6, 0.3, 0.9, 0.7, 0.9)
# Which colour channel a stride reacts to: small faces are green cells, large ones red cells, blue is nothing.
_CHANNEL_OF_STRIDE = {8: 1, 32: 0}
GREEN, RED = (0, 255, 0), (255, 0, 0)
PLAIN = (0, 0, 255)


def write_detector(path: Path, *, outputs_per_level: int = 3) -> Path:
    """An SCRFD-shaped net: a fully saturated cell of a stride's colour is a face with constant geometry.

    Nine outputs, (n, 1), (n, 4) and (n, 10) at strides 8, 16 and 32, two anchors a cell; the second anchor
    scores a little less than the first. *outputs_per_level* = 2 leaves the landmarks out.
    """
    nodes, weights, outputs = [], [], []
    heads = [("score", 1), ("box", 4), ("points", 10)][:outputs_per_level]
    for head, width in heads:
        for stride in STRIDES:
            name = f"{head}_{stride}"
            kernel, bias = _head(head, stride)
            weights += [
                numpy_helper.from_array(kernel, f"{name}_w"),
                numpy_helper.from_array(bias, f"{name}_b"),
                numpy_helper.from_array(np.array([-1, width], np.int64), f"{name}_shape"),
            ]
            pool = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
            nodes += [
                helper.make_node("AveragePool", ["image"], [f"{name}_pooled"], **pool),
                helper.make_node("Conv", [f"{name}_pooled", f"{name}_w", f"{name}_b"], [f"{name}_map"]),
                helper.make_node("Transpose", [f"{name}_map"], [f"{name}_rows"], perm=[0, 2, 3, 1]),
            ]
            last = f"{name}_rows"
            if head == "score":
                nodes.append(helper.make_node("Sigmoid", [last], [f"{name}_squashed"]))
                last = f"{name}_squashed"
            nodes.append(helper.make_node("Reshape", [last, f"{name}_shape"], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE_PX, SIDE_PX])
    return _save(path, nodes, [image], outputs, weights)


def write_recogniser(path: Path, *, side_px: int = 112, dimension: int = 512, seed: int = 0) -> Path:
    """An ArcFace-shaped net, (1, 3, 112, 112) -> (1, 512), with random weights."""
    rng = np.random.default_rng(seed)
    cells = (side_px // 8) ** 2 * 8
    weights = [
        numpy_helper.from_array(rng.normal(0, 0.1, (8, 3, 8, 8)).astype(np.float32), "conv_w"),
        numpy_helper.from_array(rng.normal(0, 0.05, (dimension, cells)).astype(np.float32), "fc_w"),
    ]
    nodes = [
        helper.make_node("Conv", ["image", "conv_w"], ["features"], strides=[8, 8]),
        helper.make_node("Relu", ["features"], ["positive"]),
        helper.make_node("Flatten", ["positive"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc_w"], ["embedding"], transB=1),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side_px, side_px])
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, dimension])
    return _save(path, nodes, [image], [output], weights)


def cells_picture(*cells: tuple[int, int, int], seed: int | None = None) -> np.ndarray:
    """A blue picture with cells (stride, column, row) in the colour that the detector reacts to.

    *seed* adds a pattern in the blue channel around them, so that embeddings differ.
    """
    picture = np.full((SIDE_PX, SIDE_PX, 3), PLAIN, np.uint8)
    if seed is not None:
        blocks = np.random.default_rng(seed).integers(0, 256, (SIDE_PX // 8, SIDE_PX // 8))
        picture[..., 2] = np.kron(blocks, np.ones((8, 8))).astype(np.uint8)
    for stride, column, row in cells:
        colour = RED if stride == 32 else GREEN
        # Only the channel that counts: the pattern in blue stays.
        place = picture[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
        place[..., :2] = colour[:2]
    return picture


def expected_box(stride: int, column: int, row: int) -> tuple[float, ...]:
    """Where the detector puts the face of a cell, in pixels."""
    left, top, right, bottom = SIDES
    return (
        (column - left) * stride,
        (row - top) * stride,
        (column + right) * stride,
        (row + bottom) * stride,
    )


def _head(head: str, stride: int) -> tuple[np.ndarray, np.ndarray]:
    if head == "score":
        kernel, bias = np.zeros((2, 3, 1, 1)), np.array([-100.0, -100.0])
        if stride in _CHANNEL_OF_STRIDE:
            # A saturated cell of this colour alone gives +4 and +3 before the sigmoid.
            kernel[:, _CHANNEL_OF_STRIDE[stride]] = 20.0
            kernel[:, 1 - _CHANNEL_OF_STRIDE[stride]] = -20.0
            bias = np.array([-36.0, -37.0])
        return kernel.astype(np.float32), bias.astype(np.float32)
    values = SIDES if head == "box" else POINTS
    return np.zeros((2 * len(values), 3, 1, 1), np.float32), np.array(values * 2, np.float32)


def _save(path: Path, nodes: list, inputs: list, outputs: list, weights: list) -> Path:
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
