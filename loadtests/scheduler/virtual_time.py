"""An event loop whose clock jumps to the next timer: hours of load in seconds, exact and repeatable."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps take no real time. Nothing outside the loop may be waited for: no threads, no sockets."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Returns the virtual time in seconds."""
        return self.now_s


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("the simulation waits for something that cannot happen")
        if not ready and timeout is not None:
            self._loop.now_s += max(timeout, 0.0)
        return ready


class VirtualExecutor(Executor):
    """One worker in virtual time: a call runs at once, its result comes after what the call has charged.

    Calls wait for each other as on a real thread. Never starts a thread.
    """

    def __init__(self) -> None:
        self._charged_s = 0.0
        self._free_at_s = 0.0

    def charge(self, seconds: float) -> None:
        """Adds to the duration of the call that is running."""
        self._charged_s += seconds

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Runs *call*; the future is done when a worker that takes the charged time would be."""
        loop = asyncio.get_running_loop()
        future: Future[Any] = Future()
        self._charged_s = 0.0
        try:
            finish: Callable[[], None] = _setter(future.set_result, call(*args, **kwargs))
        except Exception as error:
            finish = _setter(future.set_exception, error)
        self._free_at_s = max(loop.time(), self._free_at_s) + self._charged_s
        if self._charged_s:
            loop.call_at(self._free_at_s, finish)
        else:
            loop.call_soon(finish)
        return future


def _setter(set_outcome: Callable[[Any], None], outcome: Any) -> Callable[[], None]:
    return lambda: set_outcome(outcome)


def run_virtual(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Runs *main* to its end on a new virtual loop that starts at second 0."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
