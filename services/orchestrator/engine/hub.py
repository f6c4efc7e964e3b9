"""News within this process: wakes the watchers of a portrait and carries what is not kept."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.orchestrator.domain.events import StepNews

Key = tuple[str, str]
# A watcher that reads slower than steps come loses the oldest of them, never a durable event.
_MAX_LIVE = 256


@dataclass(frozen=True)
class Estimate:
    """Share of a portrait's work that is done, and the seconds left where they can be told."""

    progress: float
    remaining_s: float | None


LiveNews = StepNews | Estimate


class Subscription:
    """What one watcher has not seen yet."""

    def __init__(self) -> None:
        self._live: list[LiveNews] = []
        self._news = asyncio.Event()
        self._may_have_durable = True
        self.is_drained = False

    def push(self, news: LiveNews | None) -> None:
        """Add live news, or None to say that durable events have come."""
        if news is not None:
            self._live = [*self._live[-_MAX_LIVE + 1 :], news]
        else:
            self._may_have_durable = True
        self._news.set()

    def drain(self) -> None:
        """Tell the watcher to end: the server is going."""
        self.is_drained = self._may_have_durable = True
        self._news.set()

    def take_durable(self) -> bool:
        """Return True where durable events may have come since the last call: most wakes are mere steps."""
        taken, self._may_have_durable = self._may_have_durable, False
        return taken

    async def wait(self, timeout_s: float) -> list[LiveNews]:
        """Wait for any news, at most ``timeout_s``; return the live ones."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            # Another replica's events come without a word.
            self._may_have_durable = True
            return []
        self._news.clear()
        live, self._live = self._live, []
        return live


class Hub:
    """Connects workflows with watchers; everything happens on the event loop."""

    def __init__(self) -> None:
        self._subscriptions: dict[Key, set[Subscription]] = {}
        self._estimates: dict[Key, Estimate] = {}
        self._is_drained = False

    @contextmanager
    def subscribe(self, key: Key) -> Iterator[Subscription]:
        """Receive the news of a portrait while the context is open."""
        subscription = Subscription()
        self._subscriptions.setdefault(key, set()).add(subscription)
        if self._is_drained:
            subscription.drain()
        try:
            yield subscription
        finally:
            self._subscriptions[key].discard(subscription)
            if not self._subscriptions[key]:
                del self._subscriptions[key]

    def publish(self, key: Key, news: LiveNews) -> None:
        """Hand live news to all watchers of a portrait."""
        if isinstance(news, Estimate):
            self._estimates[key] = news
        for subscription in self._subscriptions.get(key, ()):
            subscription.push(news)

    def wake(self, key: Key) -> None:
        """Say that durable events have been added."""
        for subscription in self._subscriptions.get(key, ()):
            subscription.push(None)

    def estimate(self, key: Key) -> Estimate | None:
        """Return the latest estimate of a portrait that runs in this process."""
        return self._estimates.get(key)

    def forget(self, key: Key) -> None:
        """Drop the estimate of a portrait that has ended."""
        self._estimates.pop(key, None)

    def drain(self) -> None:
        """End all watches, present and future ones."""
        self._is_drained = True
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.drain()
