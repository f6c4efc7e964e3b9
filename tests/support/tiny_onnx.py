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


def save_folded_net(path: Path, scale: int = 1) -> Path:
    """A restoring net of the starter's shape with one random convolution, and its card: sides in eights.

    Eight pixels a side are folded into channels, so that a pixel depends on up to 16 px around it.
    """
    rng = np.random.default_rng(0)
    fold, out = 8, 3 * (8 * scale) ** 2
    kernel = rng.normal(0, 0.02, (out, 3 * fold**2, 3, 3)).astype(np.float32)
    weights = [numpy_helper.from_array(kernel, "kernel")]
    node = helper.make_node
    nodes = [
        node("SpaceToDepth", ["image"], ["folded"], blocksize=fold),
        node("Conv", ["folded", "kernel"], ["made"], pads=[1, 1, 1, 1]),
        node("DepthToSpace", ["made"], ["open"], blocksize=fold * scale, mode="CRD"),
        node("Sigmoid", ["open"], ["restored"]),
    ]
    _save(path, nodes, weights, ("image", [1, 3, "h", "w"]), ("restored", [1, 3, None, None]))
    path.with_suffix(".json").write_text(json.dumps({"input": {"range": [0.0, 1.0]}, "multiple": fold}))
    return path


def save_face_swapper(path: Path, *, side_px: int = 128, embedding: int = 512, latent: int = 16) -> Path:
    """A face swapper of inswapper's interface with random weights; its last initializer maps to latents.

    The latent shifts the colours of a smoothed face: enough for two identities to give two pictures.
    """
    rng = np.random.default_rng(0)
    kernel = np.zeros((3, 3, 5, 5), np.float32)
    kernel[[0, 1, 2], [0, 1, 2]] = 1 / 25
    weights = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(rng.normal(0, 0.3, (latent, 3)).astype(np.float32), "to_colour"),
        numpy_helper.from_array(np.array([1, 3, 1, 1], np.int64), "as_picture"),
        numpy_helper.from_array(rng.normal(0, 0.05, (embedding, latent)).astype(np.float32), "emap"),
    ]
    node = helper.make_node
    nodes = [
        node("Conv", ["target", "kernel"], ["smooth"], pads=[2, 2, 2, 2]),
        node("MatMul", ["source", "to_colour"], ["colour"]),
        node("Reshape", ["colour", "as_picture"], ["tint"]),
        node("Add", ["smooth", "tint"], ["tinted"]),
        node("Sigmoid", ["tinted"], ["output"]),
    ]
    value, picture = helper.make_tensor_value_info, [1, 3, side_px, side_px]
    entries = [value("target", TensorProto.FLOAT, picture), value("source", TensorProto.FLOAT, [1, latent])]
    graph = helper.make_graph(
        nodes, "swapper", entries, [value("output", TensorProto.FLOAT, picture)], weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def save_inverter(path: Path) -> Path:
    """A translator that turns each value v into 1 - v."""
    one = numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "one")
    node = helper.make_node("Sub", ["one", "image"], ["drawing"])
    shape = ["n", 3, "h", "w"]
    return _save(path, [node], [one], ("image", shape), ("drawing", shape))


def save_colour_parser(
    folder: Path, labels: list[str], head: list[str] | None = None, side: int | str = 128
) -> Path:
    """A face parser that goes by colour: its four parts are black, red, green and blue; returns *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    kernel = np.concatenate([np.zeros((1, 3)), np.eye(3)]).astype(np.float32).reshape(4, 3, 1, 1)
    weights = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(np.array([0.5, 0, 0, 0], np.float32), "bias"),
    ]
    node = helper.make_node("Conv", ["image", "kernel", "bias"], ["parts"])
    shapes = ("image", [1, 3, side, side]), ("parts", [1, 4, side, side])
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
