"""LoRA as data: an adapter's matrices and how a row uses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

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

    @property
    def size_bytes(self) -> int:
        """Bytes of both matrices in memory."""
        return self.down.nbytes + self.up.nbytes


@dataclass(frozen=True, eq=False)
class Adapter:
    """A loaded adapter; immutable, shared by all rows that use it.

    `layers` maps module paths with their component in front ("unet.down_blocks.0...to_q",
    "text_encoder.encoder...") to updates. `size_bytes` is the file's; in memory it takes `held_bytes`.
    """

    name: str
    sha256: str
    size_bytes: int
    layers: Mapping[str, LoraLayer]

    @property
    def rank(self) -> int:
        """Largest rank of any layer."""
        return max((layer.rank for layer in self.layers.values()), default=0)

    @cached_property
    def held_bytes(self) -> int:
        """Bytes of its matrices in memory: float32, whatever the file's precision is."""
        return sum(layer.size_bytes for layer in self.layers.values())

    @cached_property
    def changes_text(self) -> bool:
        """Whether it has layers of a text encoder."""
        return any(path.startswith("text_encoder") for path in self.layers)


@dataclass(frozen=True)
class AdapterInfo:
    """What a listing says of an adapter."""

    name: str
    rank: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, eq=False)
class AdapterUse:
    """One adapter of a row's mix; `weight` multiplies its effect, 0 disables it.

    One `of_person` belongs to the rows that show the person, as the identity tokens do.
    """

    adapter: Adapter
    weight: float
    of_person: bool = False


AdapterMix = tuple[AdapterUse, ...]


def without_person(mix: AdapterMix) -> AdapterMix:
    """The uses of *mix* that are not of the person, in a tuple of its type; *mix* itself if all are."""
    if not any(use.of_person for use in mix):
        return mix
    return type(mix)(use for use in mix if not use.of_person)


def text_part(mix: AdapterMix) -> AdapterMix:
    """The uses of *mix* that change what a text encoder makes of a prompt."""
    return tuple(use for use in mix if use.weight != 0 and use.adapter.changes_text)
