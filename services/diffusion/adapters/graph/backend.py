"""What all runtimes of the graph have in common: choosing the variant that each row needs."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.diffusion.adapters.graph.inputs import GraphInputs
from services.diffusion.adapters.graph.sidecar import UNetGraph, Variant
from services.diffusion.adapters.lora_stack import Arrays, LoraStack
from services.diffusion.adapters.packed_lora import LoraLayout
from services.diffusion.domain.adapters import AdapterMix
from services.diffusion.domain.rows import RowBatch

Array = NDArray[np.float32]
# From the inputs of the rows, float32 by name, and those of their adapters as the LoraStack gave them.
Session = Callable[[dict[str, Array], Arrays], Array]


class GraphBackend:
    """Evaluates rows with the smallest variant of a graph that holds all that their adapters touch.

    A row's variant follows from its own adapters alone, so its bits do not depend on its company. On a CPU
    the split costs next to nothing: a batch takes nearly as long as its rows one by one. The first variant is
    opened at once, another one when a mix that needs it is checked.
    """

    def __init__(
        self,
        graph: UNetGraph,
        open_session: Callable[[Path], Session],
        max_rank: int,
        make_stack: Callable[[LoraLayout, Collection[str]], LoraStack] = LoraStack,
    ) -> None:
        self._graph = graph
        self._max_rank = max_rank
        self._open_session = open_session
        self._inputs = GraphInputs(graph)
        self._stacks = {variant: make_stack(graph.layout, variant.groups) for variant in graph.variants}
        self._sessions: dict[Variant, Future[Session]] = {}
        self._lock = threading.Lock()
        # One at a time: two would double the peak of memory.
        self._opener = ThreadPoolExecutor(1, "diffusion-graph")
        self._session(graph.variants[0]).result()

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change."""
        return self._graph.layer_shapes

    @property
    def held_adapter_bytes(self) -> int:
        """Bytes of the packed adapters and of the last batch's matrices."""
        return self._graph.layout.held_bytes + sum(stack.held_bytes for stack in self._stacks.values())

    def forget_adapters(self, names: Collection[str]) -> None:
        """Drop what was packed of these adapters."""
        self._graph.layout.forget(names)
        for stack in self._stacks.values():
            stack.forget(names)

    def check(self, mix: AdapterMix) -> None:
        """Refuse what cannot be packed; begin to open the variant that *mix* needs. Does not block.

        Raises: AdapterIncompatible.
        """
        self._graph.layout.check(mix, self._max_rank)
        self._session(self._variant(mix))

    def predict(self, batch: RowBatch) -> Array:
        """Predictions float32 [B, C, h, w].

        Raises: ValueError as GraphInputs.conditions and LoraLayout.ranks; what the runtime raises.
        """
        parts: dict[Variant, list[int]] = {}
        for index, row in enumerate(batch.rows):
            parts.setdefault(self._variant(row.adapters), []).append(index)
        if len(parts) == 1:
            return self._run(next(iter(parts)), batch)
        predictions: list[Array] = [np.empty(0, np.float32)] * len(batch.rows)
        for variant, indices in parts.items():
            part = self._run(variant, RowBatch.of([batch.rows[index] for index in indices]))
            for index, prediction in zip(indices, part, strict=True):
                predictions[index] = prediction
        return np.stack(predictions)

    def _run(self, variant: Variant, batch: RowBatch) -> Array:
        session = self._session(variant).result()
        order, adapters = self._stacks[variant].arrange([row.adapters for row in batch.rows])
        inputs = self._inputs.conditions(RowBatch.of([batch.rows[index] for index in order]))
        ordered = session(inputs, adapters)
        predictions = np.empty_like(ordered)
        predictions[order] = ordered
        return predictions

    def _variant(self, mix: AdapterMix) -> Variant:
        needed = {group for group, rank in self._graph.layout.ranks(mix).items() if rank}
        return next(variant for variant in self._stacks if needed <= set(variant.groups))

    def _session(self, variant: Variant) -> Future[Session]:
        with self._lock:
            if variant not in self._sessions:
                file = self._graph.folder / variant.file_name
                self._sessions[variant] = self._opener.submit(self._open_session, file)
            return self._sessions[variant]
