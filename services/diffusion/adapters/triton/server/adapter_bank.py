"""Adapters that stay in the model instance: a pool of rank rows per graph input, least recently used out.

One row of a pool is one rank of one adapter, so that an adapter takes what it needs and ranks may differ (the
paging of S-LoRA, arXiv 2311.03285, with pages of one rank). Row 0 is never given away: it is all zeros.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from .content_key import NO_KEY, Key, content_key

Tensors = dict[str, torch.Tensor]
# (adapter, strength); the strength multiplies its effect.
Use = tuple[Key, float]
# Gathered matrices of the last batches: a batch mostly repeats for many steps.
_KEPT_GATHERS = 2


class Group(NamedTuple):
    """One packed input of the graph: its width, and which columns hold `up` (strengths scale these)."""

    width: int
    up_columns: torch.Tensor


class Refused(Exception):
    """The upload cannot be taken; the text says why."""


class AdapterBank:
    """Holds adapters by content key and builds the graph's packed inputs from them. Not thread-safe."""

    def __init__(
        self, groups: Mapping[str, Group], rank_rows: int, rank_step: int, device: torch.device
    ) -> None:
        """Reserve the pools.

        Args:
            groups: The packed inputs by name.
            rank_rows: Ranks that fit into each pool, all adapters together.
            rank_step: The gathered rank is a multiple of this, and at least this.
            device: Where the pools are.
        """
        self._rank_step = rank_step
        self._device = device
        self._up = {name: group.up_columns.to(device) for name, group in groups.items()}
        self._pools = {
            name: torch.zeros(1 + rank_rows, group.width, device=device) for name, group in groups.items()
        }
        self._free = {name: list(range(rank_rows, 0, -1)) for name in groups}
        self._resident: OrderedDict[Key, dict[str, list[int]]] = OrderedDict()
        self._gathered: OrderedDict[Any, Tensors] = OrderedDict()

    def missing(self, rows: Sequence[Sequence[Use]]) -> list[Key]:
        """Adapters of *rows* that are not here; the others count as just used."""
        missing: dict[Key, None] = {}
        for key in (key for uses in rows for key, _ in uses):
            if key in self._resident:
                self._resident.move_to_end(key)
            else:
                missing[key] = None
        return list(missing)

    def store(self, key: Key, parts: Mapping[str, torch.Tensor]) -> None:
        """Keep an adapter, evicting others if need be; does nothing where it is here already.

        Args:
            key: What `content_key` gives for *parts*; checked, so that nobody can plant another content.
            parts: float32 [r, width] on the CPU, by graph input.

        Raises: Refused.
        """
        for name, matrix in parts.items():
            pool = self._pools.get(name)
            if pool is None or matrix.shape[1:] != pool.shape[1:]:
                raise Refused(f"{name} {list(matrix.shape)} is no input of this graph")
            if len(matrix) > len(pool) - 1:
                raise Refused(f"rank {len(matrix)} does not fit into the {len(pool) - 1} rank rows")
        if key == NO_KEY or content_key({name: matrix.numpy() for name, matrix in parts.items()}) != key:
            raise Refused("the content does not have the digest that it came with")
        if key in self._resident:
            return
        self._make_room({name: len(matrix) for name, matrix in parts.items()})
        taken = {name: [self._free[name].pop() for _ in matrix] for name, matrix in parts.items()}
        for name, matrix in parts.items():
            self._pools[name][self._index(taken[name])] = matrix.to(self._device)
        self._resident[key] = taken

    def forget(self, key: Key) -> None:
        """Drop an adapter and clear its memory; nothing happens where it is not here."""
        for name, places in self._resident.pop(key, {}).items():
            self._pools[name][self._index(places)] = 0.0
            self._free[name].extend(places)
        self._gathered.clear()

    def touched(self, uses: Sequence[Use]) -> frozenset[str]:
        """Packed inputs that the adapters of a row change; all of them are here."""
        return frozenset(name for key, _ in uses for name in self._resident[key])

    def gather(self, rows: Sequence[Sequence[Use]], names: Iterable[str]) -> Tensors:
        """The packed inputs *names* float32 [B, R, width] for rows whose adapters are all here.

        Adapters of a row follow each other along the ranks; lower ranks are padded with zeros.
        """
        batch = tuple(tuple(uses) for uses in rows)
        # Known by contents and strengths alone, so an entry stays right whatever is evicted meanwhile.
        key = (batch, tuple(names))
        found = self._gathered.pop(key, None)
        if found is None:
            found = {name: self._gather(name, batch) for name in key[1]}
        self._gathered[key] = found
        while len(self._gathered) > _KEPT_GATHERS:
            self._gathered.popitem(last=False)
        return found

    def _gather(self, name: str, rows: tuple[tuple[Use, ...], ...]) -> torch.Tensor:
        places: list[list[int]] = []
        strengths: list[list[float]] = []
        for uses in rows:
            taken = [(self._resident[key].get(name, []), strength) for key, strength in uses]
            places.append([place for found, _ in taken for place in found])
            strengths.append([strength for found, strength in taken for _ in found])
        longest = max(map(len, places))
        rank = max(1, -(-longest // self._rank_step)) * self._rank_step
        index = self._index([found + [0] * (rank - len(found)) for found in places])
        gathered = self._pools[name][index]
        if any(strength != 1.0 for row in strengths for strength in row):
            scales = torch.tensor([row + [1.0] * (rank - len(row)) for row in strengths], device=self._device)
            one = torch.ones((), device=self._device)
            gathered.mul_(torch.where(self._up[name], scales.unsqueeze(-1), one))
        return gathered

    def _make_room(self, ranks: Mapping[str, int]) -> None:
        while any(len(self._free[name]) < rank for name, rank in ranks.items()):
            _, freed = self._resident.popitem(last=False)
            for name, places in freed.items():
                self._free[name].extend(places)

    def _index(self, places: Any) -> torch.Tensor:
        return torch.tensor(places, dtype=torch.int64, device=self._device)


def groups_of(sidecar: Mapping[str, Any]) -> dict[str, Group]:
    """The packed inputs as unet.json describes them."""
    groups = {
        name: Group(width, torch.zeros(width, dtype=torch.bool))
        for name, width in sidecar["lora_inputs"].items()
    }
    for layer in sidecar["layers"]:
        up_start = layer["offset"] + layer["in_size"] * layer["kernel"][0] * layer["kernel"][1]
        groups[layer["group"]].up_columns[up_start : up_start + layer["out_size"]] = True
    return groups
