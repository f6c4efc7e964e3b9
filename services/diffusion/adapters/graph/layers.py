"""The layers of a UNet with their LoRA update as data: y = base(x) + (x A^T) Bt, A and Bt from the batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from services.diffusion.adapters.graph.operations import add_update, cut, pad_grid, reshape, to_grid
from services.diffusion.adapters.packed_lora import PackedLayer

Tensor = torch.Tensor


class LoraFeed:
    """Hands each layer its part of the packed inputs during one forward pass."""

    def __init__(self, layers: Sequence[PackedLayer]) -> None:
        self._layers = layers
        self._parts: dict[str, tuple[Tensor, Tensor]] = {}

    def load(self, packed: dict[str, Tensor]) -> None:
        """Split [B, R, width] of every group into down [B, R, in * kernel] and up [B, R, out] per layer."""
        self._parts = {}
        for group, matrix in packed.items():
            members = [layer for layer in self._layers if layer.group == group]
            sizes = [size for layer in members for size in (layer.down_width, layer.out_size)]
            parts = iter(torch.split(matrix, sizes, dim=2))
            self._parts |= {layer.path: (next(parts), next(parts)) for layer in members}

    def of(self, layer: PackedLayer) -> tuple[Tensor, Tensor]:
        """Down and up of *layer*."""
        return self._parts[layer.path]


class LoraLinear(nn.Module):
    """A linear layer on [B, ..., in] with a low-rank update per sample."""

    def __init__(self, base: nn.Linear, layer: PackedLayer, feed: LoraFeed) -> None:
        super().__init__()
        self.base, self._layer, self._feed = base, layer, feed

    def forward(self, given: Tensor, *_: Any) -> Tensor:
        """Base output plus update."""
        down, up = self._feed.of(self._layer)
        is_vector = given.dim() == 2
        tokens = given.unsqueeze(1) if is_vector else given
        update = torch.bmm(torch.bmm(tokens, down.transpose(1, 2)), up)
        return add_update(self.base(given), update.squeeze(1) if is_vector else update, self._layer.group)


class LoraConv(nn.Module):
    """A convolution on [B, C, h, w] with a low-rank update per sample.

    One matrix product gives every tap of the kernel its own channels, shifting and adding these gives the
    down-projection, another product the update. So the graph holds no convolution with weights from its
    inputs, which runtimes support badly.
    """

    def __init__(self, base: nn.Conv2d, layer: PackedLayer, feed: LoraFeed) -> None:
        super().__init__()
        self.base, self._layer, self._feed = base, layer, feed

    def forward(self, given: Tensor, *_: Any) -> Tensor:
        """Base output plus update."""
        down, up = self._feed.of(self._layer)
        output: Tensor = self.base(given)
        in_size, out_size = self._layer.in_size, self._layer.out_size
        # [B, R * taps, in] times [B, in, cells]
        products = torch.bmm(reshape(down, (0, -1, in_size)), reshape(given, (0, in_size, -1)))
        reduced = self._gather(to_grid(products, -1, given))
        cells = reshape(reduced, (0, 0, -1))
        update = to_grid(torch.bmm(up.transpose(1, 2), cells), out_size, output)
        return add_update(output, update, self._layer.group)

    def _gather(self, products: Tensor) -> Tensor:
        """Shift the products [B, R * taps, h, w] to where they belong and add them up: [B, R, h', w']."""
        (rows, columns), stride = self._layer.kernel, self._layer.stride
        taps = rows * columns
        if taps > 1:
            products = pad_grid(products, *self._layer.padding)
        if taps == 1 and stride == (1, 1):
            return products
        total: Tensor | None = None
        for tap in range(taps):
            y, x = divmod(tap, columns)
            # Channel r * taps + tap; the last start of a window leaves room for the rest of the kernel.
            starts, ends = (tap, y, x), (0, y + 1 - rows, x + 1 - columns)
            part = cut(products, starts, ends, (1, 2, 3), (taps, *stride))
            total = part if total is None else total + part
        assert total is not None
        return total
