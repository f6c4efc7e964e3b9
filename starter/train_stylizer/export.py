"""From trained weights to the files that the stylization service reads."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import nn

from starter.onnx_files import halve_weights
from starter.train_stylizer.net import MULTIPLE, ToonNet

_OPSET = 18


def export_onnx(net: ToonNet, path: Path) -> None:
    """Write a net from "image" to "drawing": (N, 3, H, W) float32 in [0, 1], H and W any multiples of 16.

    The weights are stored as float16 and widened when the file is loaded: half the size, float32 arithmetic.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    frozen = _Clipped(net).eval().float()
    example = torch.zeros(1, 3, 4 * MULTIPLE, 4 * MULTIPLE)
    axes = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The exporter that replaces this one needs onnxscript; a net of plain convolutions does not.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            frozen,
            (example,),
            str(path),
            input_names=["image"],
            output_names=["drawing"],
            dynamic_axes={"image": axes, "drawing": axes},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(path)
    halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_card(path: Path, recipe: Mapping[str, object], figures: Mapping[str, object]) -> None:
    """Write the description beside the net: what the service needs, licence, recipe and figures."""
    card = {
        "name": path.stem,
        "description": "A first, soft toon: warm flattened skin, less shade, soft dark outlines.",
        "licence": "Apache-2.0",
        "data": "Own renders of 3D-character heads (CC0 assets); no photos of people.",
        "multiple": MULTIPLE,
        "shortest_px": 192,
        "longest_px": 640,
        "recipe": dict(recipe),
        "figures": dict(figures),
    }
    path.write_text(json.dumps(card, indent=2) + "\n")


class _Clipped(nn.Module):
    def __init__(self, net: ToonNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        drawn: torch.Tensor = self.net(image)
        return drawn.clamp(0, 1)
