"""From rows to the inputs of a UNet graph."""

import numpy as np
from numpy.typing import NDArray

from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.domain.rows import RowBatch

Array = NDArray[np.float32]


class GraphInputs:
    """Makes the inputs of a batch for a graph, but for those of its adapters."""

    def __init__(self, graph: UNetGraph) -> None:
        self._graph = graph

    def conditions(self, batch: RowBatch) -> dict[str, Array]:
        """All inputs but the adapters' by name, float32.

        Raises: ValueError if rows carry identity tokens or control hints that the graph has no input for.
        """
        graph = self._graph
        if any(row.control and row.control.scale for row in batch.rows):
            raise ValueError("rows carry a control hint but the graph has no ControlNet")
        inputs = {"latents": batch.latents, "timesteps": batch.timesteps, "context": batch.contexts}
        if graph.pooled_width:
            pooled = batch.pooled
            if pooled is None:
                raise ValueError("the model needs pooled text and size ids")
            inputs["pooled"], inputs["size_ids"] = pooled
        return inputs | self._identity(batch)

    def _identity(self, batch: RowBatch) -> dict[str, Array]:
        graph, identities = self._graph, batch.identities
        if not graph.identity_tokens:
            if identities is not None:
                raise ValueError("rows carry identity tokens but the model has no IP-Adapter")
            return {}
        if identities is None:
            rows = len(batch.rows)
            tokens = np.zeros((rows, graph.identity_tokens, graph.context_width), np.float32)
            return {"identity_tokens": tokens, "identity_scales": np.zeros(rows, np.float32)}
        return {"identity_tokens": identities[0], "identity_scales": identities[1]}
