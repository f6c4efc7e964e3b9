"""Tensor operations that export to one ONNX node each.

Traced view and slice calls leave a dozen nodes that compute shapes; in a graph of several hundred layers
these cost more than the arithmetic of the adapters.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.autograd import Function

Tensor = torch.Tensor

# Marks the sums of base and update in the exported file, until `files.write_graphs` has made its variants.
UPDATE = "Update"
UPDATE_DOMAIN = "likeness"


def add_update(base: Tensor, update: Tensor, group: str) -> Tensor:
    """The sum; in the exported file a node UPDATE that names the update's group."""
    result: Tensor = _AddUpdate.apply(base, update, group)
    return result


def reshape(given: Tensor, sizes: Sequence[int]) -> Tensor:
    """Reshape to *sizes*: 0 keeps the size at that position, -1 is what is left."""
    result: Tensor = _Reshape.apply(given, tuple(sizes))
    return result


def to_grid(given: Tensor, channels: int, like: Tensor) -> Tensor:
    """Reshape [B, ...] to [B, *channels*, h, w] with h and w of *like* [B, C, h, w]; channels may be -1."""
    result: Tensor = _ToGrid.apply(given, channels, like)
    return result


def pad_grid(given: Tensor, vertical: int, horizontal: int) -> Tensor:
    """Zeros around the last two axes."""
    result: Tensor = _Pad.apply(given, vertical, horizontal)
    return result


def cut(
    given: Tensor, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int], steps: Sequence[int]
) -> Tensor:
    """Slice along *axes*; ends count from the back where they are negative, 0 is the very end."""
    result: Tensor = _Cut.apply(given, tuple(starts), tuple(ends), tuple(axes), tuple(steps))
    return result


def _constant(g: Any, values: Sequence[int]) -> Any:
    return g.op("Constant", value_t=torch.tensor(list(values), dtype=torch.int64))


class _AddUpdate(Function):
    @staticmethod
    def forward(ctx: Any, base: Tensor, update: Tensor, group: str) -> Tensor:
        return base + update

    @staticmethod
    def symbolic(g: Any, base: Any, update: Any, group: str) -> Any:
        return g.op(f"{UPDATE_DOMAIN}::{UPDATE}", base, update, group_s=group).setType(base.type())


class _Reshape(Function):
    @staticmethod
    def forward(ctx: Any, given: Tensor, sizes: tuple[int, ...]) -> Tensor:
        return given.reshape([given.shape[i] if size == 0 else size for i, size in enumerate(sizes)])

    @staticmethod
    def symbolic(g: Any, given: Any, sizes: tuple[int, ...]) -> Any:
        return g.op("Reshape", given, _constant(g, sizes))


class _ToGrid(Function):
    @staticmethod
    def forward(ctx: Any, given: Tensor, channels: int, like: Tensor) -> Tensor:
        return given.reshape(given.shape[0], channels, *like.shape[2:])

    @staticmethod
    def symbolic(g: Any, given: Any, channels: int, like: Any) -> Any:
        sizes = g.op("Concat", _constant(g, (0, channels)), g.op("Shape", like, start_i=2), axis_i=0)
        return g.op("Reshape", given, sizes)


class _Pad(Function):
    @staticmethod
    def forward(ctx: Any, given: Tensor, vertical: int, horizontal: int) -> Tensor:
        return torch.nn.functional.pad(given, (horizontal, horizontal, vertical, vertical))

    @staticmethod
    def symbolic(g: Any, given: Any, vertical: int, horizontal: int) -> Any:
        ends = (*[0] * (given.type().dim() - 2), vertical, horizontal)
        return g.op("Pad", given, _constant(g, ends * 2))


class _Cut(Function):
    @staticmethod
    def forward(
        ctx: Any,
        given: Tensor,
        starts: tuple[int, ...],
        ends: tuple[int, ...],
        axes: tuple[int, ...],
        steps: tuple[int, ...],
    ) -> Tensor:
        index = [slice(None)] * given.dim()
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            index[axis] = slice(start, end or None, step)
        return given[tuple(index)]

    @staticmethod
    def symbolic(
        g: Any,
        given: Any,
        starts: tuple[int, ...],
        ends: tuple[int, ...],
        axes: tuple[int, ...],
        steps: tuple[int, ...],
    ) -> Any:
        last = [end or 2**31 - 1 for end in ends]
        return g.op("Slice", given, *(_constant(g, part) for part in (starts, last, axes, steps)))
