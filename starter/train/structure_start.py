"""Starts the structure net from a packed one, so that it can be trained further without its old run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from starter.models.blocks import ConvNorm
from starter.models.structure import StructureNet

Floats = NDArray[np.float32]


def start_from(net: StructureNet, folder: Path, images: Tensor) -> None:
    """Give `net` the convolutions of `folder`/structure.onnx; what tells hidden landmarks starts afresh.

    In the file every normalisation has gone into the convolution before it. They are taken apart again by
    the statistics of `images` (B, 3, S, S), so that the net answers as the packed one does and trains as if
    it had never been packed.
    Raises: FileNotFoundError; ValueError if the file is of a net of other widths.
    """
    file = folder / "structure.onnx"
    packed, layers = _convolutions(file), _in_order(net, images[:1])
    if [weight.shape for weight, _ in packed] != [tuple(layer.weight.shape) for layer in layers]:
        raise ValueError(f"{file} is a net of other widths; train without a start, or use the widths it has")
    norms = {id(block[0]): block[1] for block in net.modules() if isinstance(block, ConvNorm)}
    for layer, (weight, bias) in zip(layers, packed, strict=True):
        layer.weight.data.copy_(torch.from_numpy(weight))
        norm = norms.get(id(layer))
        if isinstance(norm, nn.BatchNorm2d):
            norm.weight.data.fill_((1 + norm.eps) ** 0.5)
            norm.bias.data.copy_(torch.from_numpy(bias))
        elif layer.bias is not None:
            layer.bias.data.copy_(torch.from_numpy(bias))
    _settle(net, images)


def _convolutions(file: Path) -> list[tuple[Floats, Floats]]:
    """Weight and bias of every convolution, float32, in the order of the graph."""
    graph = onnx.load(file).graph
    values = {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in graph.initializer}
    # Weights are kept in half precision with a cast behind them.
    values |= {
        n.output[0]: values[n.input[0]] for n in graph.node if n.op_type == "Cast" and n.input[0] in values
    }
    return [(values[n.input[1]], values[n.input[2]]) for n in graph.node if n.op_type == "Conv"]


@torch.no_grad()
def _in_order(net: StructureNet, images: Tensor) -> list[nn.Conv2d]:
    """The convolutions of `net` as it runs them."""
    found: list[nn.Conv2d] = []
    layers = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    hooks = [layer.register_forward_hook(lambda module, *_: found.append(module)) for layer in layers]
    net.eval()
    net(images)
    for hook in hooks:
        hook.remove()
    return found


@torch.no_grad()
def _settle(net: StructureNet, images: Tensor) -> None:
    """Give the normalisations the statistics of what they get, and take these out of scale and shift."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    given: dict[int, Tensor] = {}
    hooks = [
        n.register_forward_hook(lambda module, into, _: given.update({id(module): into[0]})) for n in norms
    ]
    net.eval()
    net(images)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        variance, mean = torch.var_mean(given[id(norm)], (0, 2, 3), correction=0)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.bias.add_(mean)
        norm.weight.copy_((variance + norm.eps).sqrt())
