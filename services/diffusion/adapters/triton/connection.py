"""A connection to one model of a Triton server: asyncio on a thread of its own, deadlines, typed errors."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from tritonclient.grpc import aio
from tritonclient.utils import InferenceServerException

from services.diffusion.adapters.triton.faults import ServerGone, fault_of, no_model
from services.diffusion.errors import BackendUnreachable, DeadlineExceeded, NotWarm

ResultT = TypeVar("ResultT")
# Found again soon after a restart: gRPC's own back-off grows to two minutes.
_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
_POLL_S, _PROBE_LIMIT_S = 0.2, 2.0


class Deadline:
    """A moment by which a call must have ended."""

    def __init__(self, after_s: float) -> None:
        self._end_s = time.monotonic() + after_s

    @property
    def remaining_s(self) -> float:
        """Seconds left. Raises: DeadlineExceeded when there are none."""
        left = self._end_s - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded()
        return left


class TritonConnection:
    """Coroutines run on this object's own thread; `run` calls them from any other."""

    def __init__(self, target: str, model: str) -> None:
        self.target, self.model = target, model
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="triton", daemon=True)
        self._thread.start()
        self.client = self.run(_open(target))

    @property
    def is_closed(self) -> bool:
        """After `close` nothing runs any more."""
        return self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """The result of *work*; blocking."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start *work*, which MUST handle its own errors; wait for nothing."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Close the channel and end the thread. Idempotent."""
        if not self.is_closed:
            self.run(self.client.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def infer(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        parameters: Mapping[str, str],
        deadline: Deadline,
    ) -> Any:
        """One call. Raises: what `fault_of` makes of a failure."""
        try:
            return await self.client.infer(
                self.model,
                inputs,
                outputs=outputs,
                parameters=dict(parameters),
                client_timeout=deadline.remaining_s,
            )
        except InferenceServerException as error:
            raise self._fault(error) from error

    async def wait_until_ready(self, deadline: Deadline) -> None:
        """Return once the model takes requests.

        Raises:
            ModelMissing: The server has no such model, or could not load it.
            NotWarm: The deadline passed while the server was loading it.
            BackendUnreachable: The deadline passed without an answer.
        """
        late: Exception = BackendUnreachable(cause=f"Triton at {self.target}")
        while True:
            try:
                limit_s = min(deadline.remaining_s, _PROBE_LIMIT_S)
            except DeadlineExceeded as error:
                raise late from error
            try:
                if await self.client.is_model_ready(self.model, client_timeout=limit_s):
                    return
                late = NotWarm(service=f"The model {self.model} on Triton at {self.target}")
                await self._check_listed(limit_s)
            except InferenceServerException as error:
                late = BackendUnreachable(cause=f"Triton at {self.target}: {error.message()}")
            await asyncio.sleep(_POLL_S)

    async def reload(self, deadline: Deadline) -> None:
        """Have the server load the model anew, for when its process died.

        Raises: BackendUnreachable where the server does not take such calls (its models are not under
        explicit control); as `infer`.
        """
        try:
            await self.client.unload_model(self.model, client_timeout=deadline.remaining_s)
            await self.client.load_model(self.model, client_timeout=deadline.remaining_s)
        except InferenceServerException as error:
            fault = self._fault(error)
            if isinstance(fault, DeadlineExceeded | ServerGone) and "explicit" not in str(error):
                raise fault from error
            cause = f"the process of its model {self.model} died; restart Triton at {self.target}"
            raise BackendUnreachable(cause=cause) from error

    async def _check_listed(self, limit_s: float) -> None:
        index = await self.client.get_model_repository_index(client_timeout=limit_s)
        entries = [entry for entry in index.models if entry.name == self.model]
        if not entries:
            raise no_model(self.model, self.target, "not in its repository")
        if all(entry.state == "UNAVAILABLE" and entry.reason not in ("", "unloaded") for entry in entries):
            raise no_model(self.model, self.target, entries[0].reason)

    def _fault(self, error: InferenceServerException) -> Exception:
        return fault_of(error.status(), error.message() or "", self.model, self.target)


async def _open(target: str) -> aio.InferenceServerClient:
    """Made on the loop that will use it."""
    return aio.InferenceServerClient(target, channel_args=_CHANNEL_OPTIONS)
