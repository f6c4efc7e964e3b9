"""Calls of one model on Triton, made whole again after evictions, restarts and lost memory."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput

from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.triton.connection import Deadline, TritonConnection
from services.diffusion.adapters.triton.description import Description, described_by
from services.diffusion.adapters.triton.faults import AdaptersMissing, ModelDied, ServerGone, other_model
from services.diffusion.adapters.triton.metrics import BYTES, CALL_SECONDS, CALLS, RESTARTS
from services.diffusion.adapters.triton.residents import Residents
from services.diffusion.adapters.triton.server.content_key import ADAPTERS_PER_ROW, Key
from services.diffusion.adapters.triton.tensor_paths import Arrays, Prediction, Shape, TensorPath
from services.diffusion.domain.adapters import Adapter, AdapterMix
from services.diffusion.errors import DeadlineExceeded
from shared.telemetry import get_logger

# After so many evictions between upload and use the call takes its adapters along: others need the room.
_MOST_UPLOADS = 3
_PAUSE_S = 0.1
_OUTCOMES = {
    AdaptersMissing: "adapters_missing",
    ModelDied: "gone",
    ServerGone: "gone",
    DeadlineExceeded: "deadline",
}

_NOTHING: Prediction = np.empty(0, np.float32)

_log = get_logger(__name__)


class RemoteModel:
    """Coroutines of one connection; `predict` calls follow each other, never overlap."""

    def __init__(
        self, connection: TritonConnection, path: TensorPath, residents: Residents, graph: UNetGraph
    ) -> None:
        self._connection = connection
        self._path = path
        self._residents = residents
        self._digest = graph.digest
        self._out_channels = graph.out_channels
        self._name = connection.model
        # `forget` may come while a batch is on its way, and a path carries one call at a time.
        self._one_call = asyncio.Lock()

    async def predict(
        self,
        conditions: Arrays,
        mixes: Sequence[AdapterMix],
        pack: Callable[[], Arrays],
        deadline: Deadline,
    ) -> Prediction:
        """The graph's prediction for a batch.

        Args:
            conditions: The graph's inputs without its packed adapters.
            mixes: Adapters of each row.
            pack: The packed inputs of the whole batch, for when the server has no room for its adapters.
            deadline: When to give up, all retries included.

        Raises: DeadlineExceeded, BackendUnreachable, NotWarm, ModelMissing, QueueFull.
        """
        uploads = 0
        while True:
            try:
                uses = [self._residents.uses_of(mix) for mix in mixes]
                if uploads >= _MOST_UPLOADS or max(map(len, uses)) > ADAPTERS_PER_ROW:
                    return await self._infer({**conditions, **pack()}, [[] for _ in mixes], deadline)
                for key, adapter in self._residents.absent(mixes).items():
                    await self._upload(key, adapter, deadline)
                return await self._infer(conditions, uses, deadline)
            except AdaptersMissing as missing:
                uploads += 1
                self._residents.doubt(missing.keys)
            except ServerGone as gone:
                _log.warning("triton.gone", model=self._name, cause=str(gone))
                await asyncio.sleep(_PAUSE_S)
                await self.set_up(deadline)

    async def set_up(self, deadline: Deadline) -> None:
        """Wait for the model and start with nothing there. Raises: as `predict`."""
        description = await describe(self._connection, deadline)
        if description.graph.digest != self._digest:
            raise other_model(self._name, self._connection.target)
        self._residents.clear()
        async with self._one_call:
            await self._path.renew()

    async def close(self) -> None:
        """Release what the server holds for us."""
        async with self._one_call:
            await self._path.close()

    async def forget(self, names: Collection[str], deadline: Deadline) -> None:
        """Make the server drop the adapters called so; failures are logged."""
        for key in self._residents.forget(names):
            try:
                await self._call("forget", {"adapters": _keys([[(key, 1.0)]])}, None, deadline)
            except Exception as error:
                _log.warning("triton.forget_failed", model=self._name, error=repr(error))

    async def _upload(self, key: Key, adapter: Adapter, deadline: Deadline) -> None:
        parts = {name: matrix[np.newaxis] for name, matrix in self._residents.parts_of(adapter).items()}
        await self._call("upload", {"adapters": _keys([[(key, 1.0)]]), **parts}, None, deadline)
        self._residents.believe(key)

    async def _infer(
        self, inputs: Arrays, uses: Sequence[Sequence[tuple[Key, float]]], deadline: Deadline
    ) -> Prediction:
        tensors: dict[str, NDArray[Any]] = {"adapters": _keys(uses), "strengths": _strengths(uses)}
        for name, array in inputs.items():
            # Triton knows no input without dims behind the batch.
            tensors[name] = array.reshape(-1, 1) if array.ndim == 1 else array
        rows, _, height, width = inputs["latents"].shape
        return await self._call("predict", tensors, (rows, self._out_channels, height, width), deadline)

    async def _call(
        self, call: str, arrays: Arrays, output_shape: Shape | None, deadline: Deadline
    ) -> Prediction:
        """The call's prediction, of *output_shape*; an empty array for calls without."""
        async with self._one_call:
            with self._measured(call):
                answer = await self._send(call, arrays, output_shape, deadline)
            prediction = self._path.read(answer, output_shape) if output_shape else _NOTHING
        BYTES.labels(self._name, call, "sent").inc(sum(array.nbytes for array in arrays.values()))
        BYTES.labels(self._name, call, "received").inc(prediction.nbytes)
        if self._residents.see_epoch(int(answer.as_numpy("epoch")[0, 0])):
            RESTARTS.labels(self._name).inc()
            _log.warning("triton.restarted", model=self._name)
        return prediction

    async def _send(self, call: str, arrays: Arrays, output_shape: Shape | None, deadline: Deadline) -> Any:
        inputs, outputs = await self._path.place(arrays, output_shape)
        outputs.append(InferRequestedOutput("epoch"))
        parameters = {"call": call, "model_digest": self._digest}
        try:
            return await self._connection.infer(inputs, outputs, parameters, deadline)
        except DeadlineExceeded:
            self._path.abandon()
            raise

    @contextmanager
    def _measured(self, call: str) -> Iterator[None]:
        outcome, began_s = "error", time.monotonic()
        try:
            yield
            outcome = "ok"
        except (AdaptersMissing, ServerGone, DeadlineExceeded) as error:
            outcome = _OUTCOMES[type(error)]
            raise
        finally:
            CALLS.labels(self._name, call, outcome).inc()
            if outcome == "ok":
                CALL_SECONDS.labels(self._name, call).observe(time.monotonic() - began_s)


async def describe(connection: TritonConnection, deadline: Deadline) -> Description:
    """What the model says of itself, once it is ready. Raises: as RemoteModel.predict."""
    while True:
        await connection.wait_until_ready(deadline)
        nothing = InferInput("adapters", [1, ADAPTERS_PER_ROW, 4], "INT64")
        nothing.set_data_from_numpy(_keys([[]]))
        outputs = [InferRequestedOutput("description")]
        try:
            answer = await connection.infer([nothing], outputs, {"call": "describe"}, deadline)
            return described_by(answer.as_numpy("description").tobytes(), connection)
        except ModelDied as died:
            _log.error("triton.model_died", model=connection.model, cause=str(died))
            await connection.reload(deadline)
        except ServerGone:  # it was about to stop
            await asyncio.sleep(_PAUSE_S)


def _keys(uses: Sequence[Sequence[tuple[Key, float]]]) -> NDArray[np.int64]:
    """Keys int64 [B, 8, 4], zeros behind a row's last one."""
    keys = np.zeros((len(uses), ADAPTERS_PER_ROW, 4), np.int64)
    for row, given in enumerate(uses):
        for place, (key, _) in enumerate(given):
            keys[row, place] = key
    return keys


def _strengths(uses: Sequence[Sequence[tuple[Key, float]]]) -> NDArray[np.float32]:
    """Strengths float32 [B, 8]."""
    strengths = np.zeros((len(uses), ADAPTERS_PER_ROW), np.float32)
    for row, given in enumerate(uses):
        strengths[row, : len(given)] = [strength for _, strength in given]
    return strengths
