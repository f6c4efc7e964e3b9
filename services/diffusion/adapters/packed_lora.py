"""LoRA as plain arrays: one mix becomes a few matrices that a fixed graph takes as inputs.

Every layer has its own columns in the matrix of its group; a row of the matrix is one rank. Adapters of a mix
follow each other along the ranks, zeros mean "no update". Groups exist so that adapters that touch only the
attention (most identities) do not pay for the convolutions: each group has a rank of its own.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import Adapter, AdapterMix, LoraLayer
from services.diffusion.errors import AdapterIncompatible

Array = NDArray[np.float32]
Packed = Mapping[str, Array]
# Every request has uses of its own; pictures of one person with one strength share what is packed.
_MixKey = tuple[tuple[Adapter, float], ...]

COMPONENT = "unet"
# Ranks of a call are multiples of this; see `padded_rank`.
RANK_STEP = 4
# Of packed adapters; one is about as large as its file in float32.
_KEPT_BYTES = 256 * 2**20


@dataclass(frozen=True)
class PackedLayer:
    """Where one layer's update lies: columns [offset, offset + down_width + out) of its group's matrix.

    The first `down_width` columns are `down`, for convolutions in the order (kernel row, kernel column,
    input channel); the others are `up` transposed. `path` has no component in front.
    """

    path: str
    group: str
    kind: Literal["linear", "conv"]
    in_size: int
    out_size: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    offset: int

    @property
    def down_width(self) -> int:
        """Columns of `down`."""
        return self.in_size * self.kernel[0] * self.kernel[1]

    @property
    def width(self) -> int:
        """All columns of this layer."""
        return self.down_width + self.out_size


class LoraLayout:
    """The packed form of one UNet's adapters. The most recently used stay packed. Thread-safe."""

    def __init__(self, layers: Sequence[PackedLayer]) -> None:
        self.layers = tuple(layers)
        self._by_path = {f"{COMPONENT}.{layer.path}": layer for layer in layers}
        self._lock = threading.Lock()
        self._packed: OrderedDict[Adapter, Packed] = OrderedDict()
        self._ranks: WeakKeyDictionary[Adapter, dict[str, int]] = WeakKeyDictionary()

    @cached_property
    def widths(self) -> dict[str, int]:
        """Columns of each group's matrix, by the name of the graph's input, in the graph's order."""
        widths: dict[str, int] = {}
        for layer in self.layers:
            widths[layer.group] = max(widths.get(layer.group, 0), layer.offset + layer.width)
        return widths

    def parts(self, group: str) -> list[tuple[int, int]]:
        """Columns [start, end) of every `down` and `up` of a group, from 0 to its width without gaps."""
        return [
            edges
            for layer in self.layers
            if layer.group == group
            for edges in (
                (layer.offset, layer.offset + layer.down_width),
                (layer.offset + layer.down_width, layer.offset + layer.width),
            )
        ]

    @property
    def held_bytes(self) -> int:
        """Bytes of the packed adapters that are kept."""
        with self._lock:
            return sum(map(_bytes, self._packed.values()))

    def forget(self, names: Collection[str]) -> None:
        """Drop the packed adapters of these names."""
        with self._lock:
            for adapter in [adapter for adapter in self._packed if adapter.name in names]:
                del self._packed[adapter]

    def check(self, mix: AdapterMix, max_rank: int) -> None:
        """Refuse a mix that cannot be packed.

        Raises:
            AdapterIncompatible: An adapter has a layer that the layout lacks, or the ranks of the mix add up
                to more than *max_rank* in one group.
        """
        for use in active(mix):
            unknown = [path for path in _paths(use.adapter) if path not in self._by_path]
            if unknown:
                cause = f"the model's graph has no layer {unknown[0]}"
                raise AdapterIncompatible(adapter=use.adapter.name, cause=cause)
        rank = max(self.ranks(mix).values(), default=0)
        if rank > max_rank:
            names = " + ".join(use.adapter.name for use in active(mix))
            cause = f"the ranks of the mix add up to {rank}, over the limit {max_rank}"
            raise AdapterIncompatible(adapter=names, cause=cause)

    def ranks(self, mix: AdapterMix) -> dict[str, int]:
        """Rank that each group needs for *mix*; 0 where nothing is touched.

        Raises: ValueError if an adapter has a UNet layer that the layout lacks.
        """
        ranks = dict.fromkeys(self.widths, 0)
        for use in active(mix):
            for group, rank in self._adapter_ranks(use.adapter).items():
                ranks[group] += rank
        return ranks

    def pack(self, mix: AdapterMix) -> dict[str, Array]:
        """One matrix float32 [r, width] per group; weights are folded into `up`. Raises: as `ranks`."""
        ranks = self.ranks(mix)
        packed = {group: np.empty((ranks[group], width), np.float32) for group, width in self.widths.items()}
        for group, matrix in packed.items():
            self.write(matrix, group, mix)
        return packed

    def write(self, target: Array, group: str, mix: AdapterMix) -> None:
        """Fill *target* float32 [R, width] with the matrix of *mix* in *group*, then zeros."""
        start = 0
        for use in active(mix):
            matrix = self._pack_adapter(use.adapter)[group]
            end = start + len(matrix)
            np.multiply(matrix, self._factors(group, use.weight), out=target[start:end])
            start = end
        target[start:] = 0

    def stack(self, packed: Sequence[Packed]) -> dict[str, Array]:
        """One array float32 [B, R, width] per group, lower ranks padded with zeros."""
        stacked = {}
        for group, width in self.widths.items():
            rank = padded_rank(max(len(mix[group]) for mix in packed))
            array = np.zeros((len(packed), rank, width), np.float32)
            for row, mix in enumerate(packed):
                array[row, : len(mix[group])] = mix[group]
            stacked[group] = array
        return stacked

    @cached_property
    def _is_up(self) -> dict[str, NDArray[np.bool_]]:
        """Which columns of each group belong to an `up`."""
        masks = {group: np.zeros(width, bool) for group, width in self.widths.items()}
        for layer in self.layers:
            masks[layer.group][layer.offset + layer.down_width : layer.offset + layer.width] = True
        return masks

    def _factors(self, group: str, weight: float) -> Array:
        return np.where(self._is_up[group], np.float32(weight), np.float32(1))

    def _adapter_ranks(self, adapter: Adapter) -> dict[str, int]:
        """Highest rank of the adapter's layers, by group."""
        with self._lock:
            if (known := self._ranks.get(adapter)) is not None:
                return known
        ranks = dict.fromkeys(self.widths, 0)
        for path in _paths(adapter):
            group = self._layer(path).group
            ranks[group] = max(ranks[group], adapter.layers[path].rank)
        with self._lock:
            self._ranks[adapter] = ranks
        return ranks

    def _pack_adapter(self, adapter: Adapter) -> Packed:
        with self._lock:
            if (packed := self._packed.get(adapter)) is not None:
                self._packed.move_to_end(adapter)
                return packed
        ranks = self._adapter_ranks(adapter)
        packed = {group: np.zeros((ranks[group], width), np.float32) for group, width in self.widths.items()}
        for path in _paths(adapter):
            layer = self._layer(path)
            _write_layer(packed[layer.group], layer, adapter.layers[path])
        with self._lock:
            self._packed[adapter] = packed
            total = sum(map(_bytes, self._packed.values()))
            while total > _KEPT_BYTES and len(self._packed) > 1:
                total -= _bytes(self._packed.popitem(last=False)[1])
        return packed

    def _layer(self, path: str) -> PackedLayer:
        if path not in self._by_path:
            raise ValueError(f"the model has no layer {path}")
        return self._by_path[path]


def active(mix: AdapterMix) -> AdapterMix:
    """The uses of a mix that have an effect."""
    return tuple(use for use in mix if use.weight != 0)


def padded_rank(rank: int) -> int:
    """The rank that a matrix has in a call: the next multiple of RANK_STEP, at least one step.

    Ranks of 0 and 1 take other code paths in the runtimes: ONNX Runtime 1.31 leaves products over an empty
    axis unwritten, and a product with a single column rounds differently, so that a row's bits would depend
    on its company. From a rank of 2 on added zeros change no bit (measured; the contract test holds it).
    """
    return max(1, -(-rank // RANK_STEP)) * RANK_STEP


def _paths(adapter: Adapter) -> list[str]:
    return [path for path in adapter.layers if path.startswith(f"{COMPONENT}.")]


def _bytes(packed: Packed) -> int:
    return sum(matrix.nbytes for matrix in packed.values())


def _write_layer(target: Array, layer: PackedLayer, update: LoraLayer) -> None:
    middle, end = layer.offset + layer.down_width, layer.offset + layer.width
    down = update.down
    if down.ndim == 4:
        down = down.transpose(0, 2, 3, 1)
    target[: update.rank, layer.offset : middle] = down.reshape(update.rank, -1)
    target[: update.rank, middle:end] = update.up.reshape(layer.out_size, update.rank).T
