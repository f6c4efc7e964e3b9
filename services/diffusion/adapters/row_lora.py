"""LoRA as per-row data: forward hooks add each row's own low-rank update to frozen layers."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.functional import conv2d

from services.diffusion.domain.adapters import Adapter, AdapterMix, LoraLayer

# Packed matrices of the present and the previous batch: a batch mostly repeats for many steps.
_KEPT_PACKS = 2

Pack = dict[str, tuple[torch.Tensor, torch.Tensor]]


class RowLora:
    """Applies one adapter mix per row to a network's Linear and Conv2d layers.

    The mix of a row is one adapter: matrices concatenated along the rank, weights folded into `up`; rows of
    lower rank are padded with zeros. No parameter of the network is ever written. Not thread-safe, but for
    `held_bytes` and `forget`.
    """

    def __init__(self, network: nn.Module, component: str) -> None:
        self._component = component
        self._modules: dict[str, nn.Linear | nn.Conv2d] = {}
        self._pack: Pack = {}
        self._packs: OrderedDict[tuple[Any, ...], Pack] = OrderedDict()
        self._lock = threading.Lock()
        for name, module in network.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                path = f"{component}.{name}"
                self._modules[path] = module
                module.register_forward_hook(self._hook_for(path))

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that an adapter may change, by path with the component in front."""
        return {path: tuple(module.weight.shape) for path, module in self._modules.items()}

    @property
    def held_bytes(self) -> int:
        """Bytes of the packed matrices that are kept between calls."""
        with self._lock:
            packs = list(self._packs.values())
        return sum(part.nbytes for pack in packs for pair in pack.values() for part in pair)

    def forget(self, names: Collection[str]) -> None:
        """Drop kept matrices that adapters of these names took part in."""
        with self._lock:
            for key in list(self._packs):
                if any(adapter.name in names for mix in key for adapter, _ in mix):
                    del self._packs[key]

    @contextmanager
    def applied(self, mixes: Sequence[AdapterMix]) -> Iterator[None]:
        """Within this context the network adds mix i to sample i of its input batch.

        Raises:
            ValueError: An adapter has a layer of this component that the network lacks.
        """
        self._pack = self._pack_of(mixes)
        try:
            yield
        finally:
            self._pack = {}

    def _hook_for(self, path: str) -> Any:
        def add_update(module: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> Any:
            pack = self._pack.get(path)
            if pack is None:
                return None
            update = _conv_update if isinstance(module, nn.Conv2d) else _linear_update
            return output + update(module, inputs[0], *pack).reshape(output.shape)

        return add_update

    def _pack_of(self, mixes: Sequence[AdapterMix]) -> Pack:
        mixes = [tuple(use for use in mix if use.weight != 0) for mix in mixes]
        # The adapters themselves are in the key: their ids cannot be reused while the pack is kept.
        key = tuple(tuple((use.adapter, use.weight) for use in mix) for mix in mixes)
        with self._lock:
            pack = self._packs.pop(key, None)
        if pack is None:
            pack = {path: self._stack(path, mixes) for path in self._paths(mixes)}
        with self._lock:
            self._packs[key] = pack
            while len(self._packs) > _KEPT_PACKS:
                self._packs.popitem(last=False)
        return pack

    def _paths(self, mixes: Sequence[AdapterMix]) -> list[str]:
        prefix = f"{self._component}."
        adapters: dict[Adapter, None] = {use.adapter: None for mix in mixes for use in mix}
        paths = {path: None for adapter in adapters for path in adapter.layers if path.startswith(prefix)}
        unknown = [path for path in paths if path not in self._modules]
        if unknown:
            raise ValueError(f"the model has no layer {unknown[0]}")
        return list(paths)

    def _stack(self, path: str, mixes: Sequence[AdapterMix]) -> tuple[torch.Tensor, torch.Tensor]:
        """Down [B, R, in, ...] and up [B, out, R] of one layer for the whole batch."""
        weight = self._modules[path].weight
        parts: list[list[tuple[LoraLayer, float]]] = [
            [(use.adapter.layers[path], use.weight) for use in mix if path in use.adapter.layers]
            for mix in mixes
        ]
        rank = max(sum(layer.rank for layer, _ in part) for part in parts)
        down = weight.new_zeros(len(mixes), rank, *weight.shape[1:])
        up = weight.new_zeros(len(mixes), weight.shape[0], rank)
        for row, part in enumerate(parts):
            start = 0
            for layer, strength in part:
                end = start + layer.rank
                down[row, start:end] = torch.from_numpy(layer.down)
                up[row, :, start:end] = torch.from_numpy(layer.up).flatten(1) * strength
                start = end
        return down, up


def _linear_update(_: nn.Module, given: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    tokens = given.reshape(given.shape[0], -1, given.shape[-1])
    return torch.bmm(torch.bmm(tokens, down.transpose(1, 2)), up.transpose(1, 2))


def _conv_update(module: Any, given: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """A grouped convolution applies another kernel to each row: one group per row."""
    rows, channels, height, width = given.shape
    rank = down.shape[1]
    reduced = conv2d(
        given.reshape(1, rows * channels, height, width),
        down.reshape(rows * rank, *down.shape[2:]),
        stride=module.stride,
        padding=module.padding,
        dilation=module.dilation,
        groups=rows,
    )
    return torch.bmm(up, reduced.reshape(rows, rank, -1))
