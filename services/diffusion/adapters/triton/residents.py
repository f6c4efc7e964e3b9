"""What we believe the server holds, and how adapters are named there."""

from collections.abc import Callable, Collection, Iterable
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from services.diffusion.adapters.triton.server.content_key import Key, content_key
from services.diffusion.domain.adapters import Adapter, AdapterMix

Parts = dict[str, NDArray[np.float32]]


class Residents:
    """Content keys of adapters, and which of them the server's present run has been given.

    Only a belief: other clients may push adapters out, and the server then says so. Not thread-safe.
    """

    def __init__(self, pack: Callable[[Adapter], Parts]) -> None:
        """*pack* gives an adapter's matrices at strength 1, float32 [r, width] by graph input."""
        self._pack = pack
        # Weakly: whether an adapter stays in memory is for the adapter cache to say.
        self._keys: WeakKeyDictionary[Adapter, Key | None] = WeakKeyDictionary()
        self._believed: set[Key] = set()
        self._epoch: int | None = None

    def key_of(self, adapter: Adapter) -> Key | None:
        """Its key; None if it changes nothing in the UNet."""
        if adapter not in self._keys:
            parts = self.parts_of(adapter)
            self._keys[adapter] = content_key(parts) if parts else None
        return self._keys[adapter]

    def parts_of(self, adapter: Adapter) -> Parts:
        """Its matrices, without the empty ones."""
        return {name: matrix for name, matrix in self._pack(adapter).items() if len(matrix)}

    def uses_of(self, mix: AdapterMix) -> list[tuple[Key, float]]:
        """Keys and strengths of a row's adapters that change something in the UNet."""
        found = [(self.key_of(use.adapter), use.weight) for use in mix if use.weight != 0]
        return [(key, weight) for key, weight in found if key is not None]

    def absent(self, mixes: Iterable[AdapterMix]) -> dict[Key, Adapter]:
        """Adapters of *mixes* that the server has not been given."""
        adapters = {use.adapter: None for mix in mixes for use in mix if use.weight != 0}
        keyed = {self.key_of(adapter): adapter for adapter in adapters}
        return {key: adapter for key, adapter in keyed.items() if key and key not in self._believed}

    def believe(self, key: Key) -> None:
        """The server took the adapter."""
        self._believed.add(key)

    def doubt(self, keys: Collection[Key]) -> None:
        """The server has not got these."""
        self._believed.difference_update(keys)

    def forget(self, names: Collection[str]) -> list[Key]:
        """Keys of the adapters called so; they are no longer believed to be there."""
        keys = [key for adapter, key in self._keys.items() if key and adapter.name in names]
        self.doubt(keys)
        return keys

    def see_epoch(self, epoch: int) -> bool:
        """Note the epoch of an answer; True if the server started anew since the one before."""
        is_new = self._epoch not in (None, epoch)
        if is_new:
            self._believed.clear()
        self._epoch = epoch
        return is_new

    def clear(self) -> None:
        """The server may have started anew."""
        self._believed.clear()
