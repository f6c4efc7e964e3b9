"""Cooperative cancellation: a flag that any thread may set and that long work polls."""

import threading
import weakref
from collections.abc import Callable

from shared.errors import ErrorReason, LikenessError


class Cancelled(LikenessError):
    """Work stopped because its token was cancelled."""

    reason = ErrorReason.CANCELLED


class CancellationToken:
    """Says whether work is still wanted. Thread-safe; once cancelled it stays cancelled.

    An asyncio cancellation does not stop a thread in an executor, so a loop over denoising or
    training steps calls `raise_if_cancelled` once a step.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next_key = 0
        # Weak: a long-lived parent (the server) must not keep every finished request alive.
        self._children: weakref.WeakSet[CancellationToken] = weakref.WeakSet()

    @property
    def cancelled(self) -> bool:
        """True from the first `cancel` on."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Cancel this token and its children, and run the callbacks in this thread. Idempotent."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, children = list(self._callbacks.values()), list(self._children)
            self._callbacks.clear()
        for child in children:
            child.cancel()
        for callback in callbacks:
            callback()

    def raise_if_cancelled(self) -> None:
        """Do nothing while the work is wanted.

        Raises:
            Cancelled: The token was cancelled.
        """
        if self._event.is_set():
            raise Cancelled()

    def wait(self, timeout_s: float) -> bool:
        """Block this thread until cancelled or *timeout_s* has passed; say whether it was cancelled."""
        return self._event.wait(timeout_s)

    def child(self) -> "CancellationToken":
        """A token that is cancelled with this one, and can be cancelled without it."""
        child = CancellationToken()
        with self._lock:
            if not self._event.is_set():
                self._children.add(child)
                return child
        child.cancel()
        return child

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call *callback* once, in the cancelling thread (now, if already cancelled).

        Returns:
            A function that removes the callback; safe to call at any time.
        """
        with self._lock:
            if not self._event.is_set():
                key = self._next_key
                self._next_key += 1
                self._callbacks[key] = callback
                return lambda: self._remove(key)
        callback()
        return lambda: None

    def _remove(self, key: int) -> None:
        with self._lock:
            self._callbacks.pop(key, None)
