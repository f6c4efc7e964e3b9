"""Progress that clients watch: numbered events, resume tokens, a bounded history.

One `ProgressLog` per job. Whoever works appends, from any thread; any number of clients subscribe.
Ending a subscription never touches the work.
"""

import asyncio
import itertools
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.errors.common import FieldInvalid, HistoryGone

T = TypeVar("T")

# Live-only events (previews) are worth nothing to someone who comes late, so few are kept for slow readers.
_LIVE_ONLY_KEPT = 16


@dataclass(frozen=True)
class ProgressEvent(Generic[T]):
    """One message of a watch.

    Attributes:
        sequence: Rises with every event of the job; gaps are live-only events that were not replayed.
        resume_token: Opaque; a new watch with it continues after this event.
        payload: The event, or None for a heartbeat.
        is_snapshot: True for the last known state that opens a watch without a token.
    """

    sequence: int
    resume_token: str
    payload: T | None
    is_snapshot: bool = False


class ProgressLog(Generic[T]):
    """The events of one job, in order.

    Args:
        epoch: Names this run of numbers. A token of another epoch is HISTORY_GONE, so pass a durable name
            (the job's) together with *start_after* if numbers continue after a restart.
        start_after: The last sequence already given out.
        history: Events kept for resuming watches.
        heartbeat_s: Seconds of silence after which a watch gets a heartbeat.
        fold: Merges an event into the state that opens a watch; default: the state is the last event.
    """

    def __init__(
        self,
        *,
        epoch: str = "",
        start_after: int = 0,
        history: int = 1024,
        heartbeat_s: float = 15.0,
        fold: Callable[[T | None, T], T] | None = None,
    ) -> None:
        self._epoch = epoch or uuid.uuid4().hex[:12]
        self._last = start_after
        self._lost = start_after
        self._history = history
        self._heartbeat_s = heartbeat_s
        self._fold = fold or (lambda _, event: event)
        self._state: tuple[int, T] | None = None
        self._kept: deque[tuple[int, T]] = deque()
        self._live: deque[tuple[int, T]] = deque(maxlen=_LIVE_ONLY_KEPT)
        self._is_finished = False
        self._is_draining = False
        self._lock = threading.Lock()
        self._wakers: dict[object, Callable[[], None]] = {}

    @property
    def is_finished(self) -> bool:
        """True once the terminal event is in."""
        return self._is_finished

    @property
    def state(self) -> T | None:
        """The last known state, None before the first event."""
        with self._lock:
            return self._state[1] if self._state else None

    @property
    def resume_token(self) -> str:
        """The token after the newest event."""
        return self._token(self._last)

    def append(self, event: T, *, terminal: bool = False, live_only: bool = False) -> int:
        """Add an event and wake all watches. Callable from any thread.

        Args:
            event: The payload; not changed afterwards by the caller.
            terminal: No event follows; watches end after it.
            live_only: For present watches only: neither replayed nor part of the state.

        Returns:
            Its sequence number.

        Raises:
            ValueError: The terminal event is already in.
        """
        with self._lock:
            if self._is_finished:
                raise ValueError("the terminal event was already appended")
            self._last += 1
            if live_only and not terminal:
                self._live.append((self._last, event))
            else:
                self._keep(event)
            self._is_finished = terminal
            sequence = self._last
        self._wake()
        return sequence

    def drain(self) -> None:
        """End all watches after what they have not seen yet; the job itself is untouched."""
        with self._lock:
            self._is_draining = True
        self._wake()

    async def subscribe(self, after_token: str = "") -> AsyncIterator[ProgressEvent[T]]:
        """Watch: "" = the last known state, then live; a token = everything after it.

        Ends after the terminal event, or on drain. Leaving early is free.

        Raises:
            HistoryGone: Events after the token are no longer kept, or this reader fell too far behind.
            FieldInvalid: The token is not one of ours.
        """
        seen, joined = self._position(after_token)
        news = asyncio.Event()
        key = self._register(news)
        try:
            if not after_token and (opening := self._opening()):
                yield opening
                seen = opening.sequence
            while True:
                news.clear()
                pending, is_over = self._pending(seen, joined)
                for sequence, payload in pending:
                    yield ProgressEvent(sequence, self._token(sequence), payload)
                    seen = sequence
                if is_over:
                    return
                if not await _arrives(news, self._heartbeat_s):
                    yield ProgressEvent(seen, self._token(seen), None)
        finally:
            with self._lock:
                self._wakers.pop(key, None)

    def _keep(self, event: T) -> None:
        self._kept.append((self._last, event))
        if len(self._kept) > self._history:
            self._lost = self._kept.popleft()[0]
        self._state = (self._last, self._fold(self._state[1] if self._state else None, event))

    def _opening(self) -> ProgressEvent[T] | None:
        with self._lock:
            if self._state is None:
                return None
            sequence, payload = self._state
        return ProgressEvent(sequence, self._token(sequence), payload, is_snapshot=True)

    def _pending(self, seen: int, joined: int) -> tuple[list[tuple[int, T]], bool]:
        """What a reader at *seen* still has to get, and whether nothing can follow."""
        with self._lock:
            if seen < self._lost:
                raise HistoryGone()
            kept = itertools.takewhile(lambda entry: entry[0] > seen, reversed(self._kept))
            live = (entry for entry in self._live if entry[0] > max(seen, joined))
            return sorted([*kept, *live], key=lambda entry: entry[0]), self._is_finished or self._is_draining

    def _position(self, token: str) -> tuple[int, int]:
        """The sequence a token stands for, and the newest one at this moment."""
        with self._lock:
            joined = self._last
            if not token:
                return max(self._lost, 0), joined
        epoch, _, number = token.rpartition("+")
        if not epoch or not number.isdecimal():
            raise FieldInvalid(field="resume_token", problem="is not a token of this server")
        if epoch != self._epoch or int(number) > joined:
            raise HistoryGone()
        return int(number), joined

    def _register(self, news: asyncio.Event) -> object:
        loop, key = asyncio.get_running_loop(), object()

        def wake() -> None:
            loop.call_soon_threadsafe(news.set)

        with self._lock:
            self._wakers[key] = wake
        return key

    def _wake(self) -> None:
        with self._lock:
            wakers = list(self._wakers.values())
        for wake in wakers:
            try:
                wake()
            except RuntimeError:
                # That reader's event loop has ended, and its subscription with it.
                continue

    def _token(self, sequence: int) -> str:
        return f"{self._epoch}+{sequence}"


async def _arrives(news: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await news.wait()
    except TimeoutError:
        return False
    return True
