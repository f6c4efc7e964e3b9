"""Writes a trained net as an ONNX file with a card beside it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from starter.data.headcrop import crop_rule

OPSET = 18
_LICENCE = "Apache-2.0"
_DATA = "Own renders of 3D-character heads (CC0 assets); no photos of people."
Axes = Mapping[str, Mapping[int, str]]


def write_onnx(
    net: nn.Module, example: Tensor, path: Path, outputs: Sequence[str], axes: Axes | None = None
) -> None:
    """Write `net` with the input "image" and the named outputs; `axes` names what may vary of each.

    Weights are stored as float16 and widened when the file is loaded: half the size, float32 arithmetic.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The exporter that replaces this one needs onnxscript; plain convolutions do not.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Group norm asks whether there is more than one value per channel: there always is.
        warnings.filterwarnings("ignore", "Converting a tensor to a Python boolean")
        torch.onnx.export(
            net.eval().float(),
            (example,),
            str(path),
            input_names=["image"],
            output_names=list(outputs),
            dynamic_axes={name: dict(value) for name, value in (axes or {}).items()},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(path)
    halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def any_batch(*names: str) -> Axes:
    """Axes of inputs and outputs whose first dimension may vary."""
    return {name: {0: "batch"} for name in ("image", *names)}


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write the JSON card of a net, with licence and provenance."""
    full = {**card, "licence": _LICENCE, "data": _DATA}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(full, indent=1) + "\n")


def image_input(size: int | str, batch: int | str = "batch") -> dict[str, Any]:
    """The card's entry for an input of RGB pictures."""
    return {
        "name": "image",
        "shape": [batch, 3, size, size],
        "dtype": "float32",
        "range": [0.0, 1.0],
        "order": "RGB",
    }


def box_crop_entry(scale: float, size: int) -> dict[str, Any]:
    """The card's entry for a square around a face box."""
    return {"box_scale": scale, "size_px": size, "padding": "edge", "rule": crop_rule(scale, size)}


def halve_weights(model: onnx.ModelProto) -> None:
    """Store each float32 weight as float16 with a cast behind it, which ONNX Runtime folds when it loads."""
    graph, casts = model.graph, []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or len(weight.dims) < 2:
            continue
        half = numpy_helper.to_array(weight).astype(np.float16)
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
