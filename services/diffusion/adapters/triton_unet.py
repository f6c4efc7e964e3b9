"""The UNet on a Triton server: the whole batch is one request, adapters stay there by content."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from services.diffusion.adapters.graph.digest import graph_digest
from services.diffusion.adapters.graph.inputs import GraphInputs
from services.diffusion.adapters.packed_lora import COMPONENT
from services.diffusion.adapters.triton.connection import Deadline, TritonConnection
from services.diffusion.adapters.triton.faults import other_model
from services.diffusion.adapters.triton.options import SharedMemory, TritonOptions
from services.diffusion.adapters.triton.remote_model import RemoteModel, describe
from services.diffusion.adapters.triton.residents import Residents
from services.diffusion.adapters.triton.tensor_paths import MessageTensors, TensorPath
from services.diffusion.domain.adapters import Adapter, AdapterMix, AdapterUse
from services.diffusion.domain.rows import RowBatch
from services.diffusion.errors import AdapterIncompatible
from shared.sdmodels import ModelFolder

Array = NDArray[np.float32]


class TritonUNet:
    """Evaluates rows on Triton, in a repository that `likeness export --target triton` wrote.

    An adapter is sent once and then named by the digest of its content: nobody can name one that he does not
    have, and a server that lost it (eviction, restart) says so and gets it again. Strengths travel with the
    rows, so one adapter at many strengths is kept once.
    """

    def __init__(self, folder: ModelFolder, options: TritonOptions) -> None:
        """Connect and wait until the model is ready.

        Raises:
            BackendUnreachable, NotWarm: Not within the deadline.
            ModelMissing: Triton has no such model, could not load it, or serves other weights than *folder*.
            CapabilityUnavailable: Memory cannot be shared with this server.
        """
        self._options = options
        self._connection = TritonConnection(options.target, options.model)
        try:
            deadline = Deadline(options.deadline_s)
            self._served = self._connection.run(describe(self._connection, deadline))
            self._inputs = GraphInputs(self._served.graph)
            path = _tensor_path(options.shared_memory, self._connection)
            residents = Residents(self._packed)
            if self._served.graph.digest != graph_digest(folder):
                raise other_model(options.model, options.target)
            self._remote = RemoteModel(self._connection, path, residents, self._served.graph)
            self._connection.run(self._remote.set_up(deadline))
        except BaseException:
            self._connection.close()
            raise

    @property
    def description(self) -> str:
        """Runtime and precision as the server states them."""
        return f"triton {self._served.runtime}"

    @property
    def batch_tolerance(self) -> float:
        """As the server states it: 0 with ONNX Runtime on a CPU."""
        return self._served.batch_tolerance

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change."""
        return self._served.graph.layer_shapes

    @property
    def held_adapter_bytes(self) -> int:
        """Bytes of mixes packed for calls that took their adapters along; else nothing is kept here."""
        return self._served.graph.layout.held_bytes

    def check(self, mix: AdapterMix) -> None:
        """Refuse layers that the graph lacks, and ranks that add up to more than the server takes.

        Raises: AdapterIncompatible.
        """
        layout, most = self._served.graph.layout, self._served.max_rank
        layout.check(mix, most)
        # Adapters follow each other along the ranks on the server, also where they share no layer.
        rank = sum(_unet_rank(use.adapter) for use in mix if use.weight != 0)
        if rank > most:
            names = " + ".join(use.adapter.name for use in mix)
            cause = f"the ranks of the mix add up to {rank}, over the server's limit {most}"
            raise AdapterIncompatible(adapter=names, cause=cause)

    def predict(self, batch: RowBatch) -> Array:
        """Predictions float32 [B, C, h, w], in as few requests as the server's limit of rows allows.

        Raises: ValueError on tokens or adapter layers without an input; else as RemoteModel.predict.
        """
        most, rows = self._served.max_rows, batch.rows
        if len(rows) <= most:
            return self._predict(batch)
        parts = [RowBatch.of(rows[start : start + most]) for start in range(0, len(rows), most)]
        return np.concatenate([self._predict(part) for part in parts])

    def forget_adapters(self, names: Collection[str]) -> None:
        """Have the server drop the adapters called so; returns at once. Thread-safe."""
        self._served.graph.layout.forget(names)
        if self._connection.is_closed:
            return
        self._connection.start(self._remote.forget(set(names), Deadline(self._options.deadline_s)))

    def close(self) -> None:
        """Release shared memory and the connection. Idempotent."""
        if not self._connection.is_closed:
            self._connection.run(self._remote.close())
            self._connection.close()

    def _predict(self, batch: RowBatch) -> Array:
        mixes = [row.adapters for row in batch.rows]
        layout = self._served.graph.layout

        def pack() -> dict[str, Array]:
            return layout.stack([layout.pack(mix) for mix in mixes])

        deadline = Deadline(self._options.deadline_s)
        return self._connection.run(
            self._remote.predict(self._inputs.conditions(batch), mixes, pack, deadline)
        )

    def _packed(self, adapter: Adapter) -> dict[str, Array]:
        layout = self._served.graph.layout
        packed = dict(layout.pack((AdapterUse(adapter, 1.0),)))
        layout.forget([adapter.name])  # made to be sent, once
        return packed


def _unet_rank(adapter: Adapter) -> int:
    ranks = (layer.rank for path, layer in adapter.layers.items() if path.startswith(f"{COMPONENT}."))
    return max(ranks, default=0)


def _tensor_path(kind: SharedMemory, connection: TritonConnection) -> TensorPath:
    if kind == "system":
        from services.diffusion.adapters.triton.system_memory import SystemMemory

        return SystemMemory(connection)
    if kind == "cuda":
        from services.diffusion.adapters.triton.cuda_memory import CudaMemory

        return CudaMemory(connection)
    return MessageTensors()
