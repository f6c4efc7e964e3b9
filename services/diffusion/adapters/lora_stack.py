"""The packed adapters of a whole batch, kept from call to call."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.diffusion.adapters.packed_lora import LoraLayout, active, padded_rank
from services.diffusion.domain.adapters import Adapter, AdapterMix

Key = tuple[tuple[Adapter, float], ...]
Arrays = dict[str, NDArray[Any]]

_MAX_ROUNDED_BYTES = 64 * 2**20


class LoraStack:
    """Stacked matrices of some of a layout's groups; each mix stays in its place while it is in the batch.

    Batches mostly repeat from call to call, and the matrices of a batch are tens of megabytes: a picture that
    leaves costs nothing, one that joins its own rows. One thread calls `arrange`; the others may be called
    from anywhere.

    Args:
        layout: The graph's.
        groups: Those that the graph has inputs for.
        dtype: float32, or ml_dtypes.bfloat16 for runtimes that would round the values anyway.
        is_split: Whether each `down` and `up` has an array of its own, named by `part_name`.
    """

    def __init__(
        self,
        layout: LoraLayout,
        groups: Collection[str],
        dtype: Any = np.float32,
        *,
        is_split: bool = False,
    ) -> None:
        self._layout = layout
        self._groups = [group for group in layout.widths if group in groups]
        self._dtype = dtype
        # Columns of each array, by group.
        self._parts = {
            group: {part_name(group, at): edges for at, edges in enumerate(layout.parts(group))}
            if is_split
            else {group: (0, layout.widths[group])}
            for group in self._groups
        }
        self._lock = threading.Lock()
        self._places: list[Key | None] = []
        self._ranks: dict[str, int] = {}
        self._arrays: Arrays = {}
        # Mixes in the other type, least recently used first: rounding takes longer than copying.
        self._rounded: OrderedDict[tuple[str, Key, int], NDArray[Any]] = OrderedDict()
        # By number of rows: whoever gets the same object again knows that it is the same memory.
        self._views: dict[int, Arrays] = {}

    @property
    def held_bytes(self) -> int:
        """Bytes of the stacked matrices."""
        with self._lock:
            arrays = (*self._arrays.values(), *self._rounded.values())
            return sum(array.nbytes for array in arrays)

    def arrange(self, mixes: Sequence[AdapterMix]) -> tuple[list[int], Arrays]:
        """An order of *mixes* and their matrices [B, R, width] in that order, by name.

        The arrays are valid until the next call, which writes into the same ones where they still fit; then
        it returns the same object. Raises: ValueError as LoraLayout.ranks.
        """
        keys = [tuple((use.adapter, use.weight) for use in active(mix)) for mix in mixes]
        with self._lock:
            self._fit(mixes)
            order, missing = self._settle(keys)
            for place, index in missing:
                for group in self._groups:
                    self._write(group, place, mixes[index], keys[index])
                self._places[place] = keys[index]
            count = len(mixes)
            if count not in self._views:
                self._views[count] = {name: array[:count] for name, array in self._arrays.items()}
            return order, self._views[count]

    def forget(self, names: Collection[str]) -> None:
        """Erase the matrices if adapters of these names are in them; not during a call that reads them."""
        with self._lock:
            for kept in [kept for kept in self._rounded if _names(kept[1]) & set(names)]:
                del self._rounded[kept]
            if any(_names(key) & set(names) for key in self._places if key):
                # A runtime may hold the memory until its next call.
                for array in self._arrays.values():
                    array.fill(0)
                self._places, self._ranks, self._arrays, self._views = [], {}, {}, {}

    def _fit(self, mixes: Sequence[AdapterMix]) -> None:
        """Make room for all rows and exactly their ranks."""
        needs = [self._layout.ranks(mix) for mix in mixes]
        ranks = {group: padded_rank(max(need[group] for need in needs)) for group in self._groups}
        if len(self._places) >= len(mixes) and ranks == self._ranks:
            return
        places = max(len(self._places), len(mixes))
        self._places, self._ranks, self._views = [None] * places, ranks, {}
        self._arrays = {
            name: np.zeros((places, ranks[group], end - start), self._dtype)
            for group, parts in self._parts.items()
            for name, (start, end) in parts.items()
        }

    def _settle(self, keys: Sequence[Key]) -> tuple[list[int], list[tuple[int, int]]]:
        """Row at each place, and the (place, row) pairs whose matrices are not there yet."""
        waiting: dict[Key, list[int]] = {}
        for index, key in enumerate(keys):
            waiting.setdefault(key, []).append(index)
        order: dict[int, int] = {}
        for place, kept in enumerate(self._places[: len(keys)]):
            if kept is not None and waiting.get(kept):
                order[place] = waiting[kept].pop(0)
        rest = iter([index for indices in waiting.values() for index in indices])
        missing = [(place, next(rest)) for place in range(len(keys)) if place not in order]
        order |= dict(missing)
        return [order[place] for place in range(len(keys))], missing

    def _write(self, group: str, place: int, mix: AdapterMix, key: Key) -> None:
        matrix = self._matrix(group, mix, key)
        for name, (start, end) in self._parts[group].items():
            self._arrays[name][place] = matrix[:, start:end]

    def _matrix(self, group: str, mix: AdapterMix, key: Key) -> NDArray[Any]:
        known = group, key, self._ranks[group]
        matrix = self._rounded.pop(known, None)
        if matrix is None:
            exact = np.empty((self._ranks[group], self._layout.widths[group]), np.float32)
            self._layout.write(exact, group, mix)
            if self._dtype is np.float32:
                return exact
            matrix = exact.astype(self._dtype)
        self._rounded[known] = matrix
        while sum(array.nbytes for array in self._rounded.values()) > _MAX_ROUNDED_BYTES:
            self._rounded.popitem(last=False)
        return matrix


def _names(key: Key) -> set[str]:
    return {adapter.name for adapter, _ in key}


def part_name(group: str, index: int) -> str:
    """Name of the array of one `down` or `up`: the *index*th of LoraLayout.parts."""
    return f"{group}.{index}"
