"""LoRA as data: an adapter's matrices and how a row uses them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LoraLayer:
    """The low-rank update of one layer: delta(x) = up @ (down @ x).

    Linear layers: down [r, in], up [out, r]. Convolutions: down [r, in, kh, kw] with the stride and padding
    of the layer it belongs to, up [out, r, 1, 1]. alpha / rank of the file is already folded into `up`.
    """

    down: Array
    up: Array

    @property
    def rank(self) -> int:
        """Rows of `down`."""
        return int(self.down.shape[0])


@dataclass(frozen=True, eq=False)
class Adapter:
    """A loaded adapter; immutable, shared by all rows that use it.

    `layers` maps module paths with their component in front ("unet.down_blocks.0...to_q",
    "text_encoder.encoder...") to updates.
    """

    name: str
    sha256: str
    size_bytes: int
    layers: Mapping[str, LoraLayer]

    @property
    def rank(self) -> int:
        """Largest rank of any layer."""
        return max((layer.rank for layer in self.layers.values()), default=0)


@dataclass(frozen=True)
class AdapterInfo:
    """What a listing says of an adapter."""

    name: str
    rank: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, eq=False)
class AdapterUse:
    """One adapter of a row's mix; `weight` multiplies its effect, 0 disables it."""

    adapter: Adapter
    weight: float


AdapterMix = tuple[AdapterUse, ...]
