"""Watching a portrait: the last known state first, then what happens, until it has ended."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from services.orchestrator.domain.base import utc_now
from services.orchestrator.domain.events import CandidateNews, DurableEvent, StepNews
from services.orchestrator.domain.portrait import Portrait
from services.orchestrator.engine.hub import Estimate, LiveNews
from services.orchestrator.engine.portraits import PortraitDesk
from services.orchestrator.engine.tools import Tools
from services.orchestrator.errors import HistoryGone, UnknownPortrait

# Another replica's events are only in the database; one read a second is what seeing them costs.
_POLL_S = 1.0
# Estimates come with every step; people read one a second at most.
_ESTIMATE_INTERVAL_S = 1.0


@dataclass(frozen=True)
class WatchItem:
    """One message of a watch. ``news`` None is a heartbeat; ``thumbnail`` goes with a candidate's news."""

    sequence: int
    resume_token: str
    time: datetime
    news: Portrait | CandidateNews | StepNews | None
    thumbnail: bytes | None = None


class Watch:
    """One client's view of one portrait."""

    def __init__(self, tools: Tools, desk: PortraitDesk, tenant: str, name: str) -> None:
        self._tools = tools
        self._desk = desk
        self._tenant = tenant
        self._name = name
        self._id = name.split("/")[-1]
        self._sequence = 0
        self._last_message_s = time.monotonic()
        self._last_estimate_s = 0.0

    async def items(self, resume_token: str) -> AsyncIterator[WatchItem]:
        """Yield a snapshot, the durable events after the token, and live ones as they come.

        Ends after the portrait has ended, or when the server drains. A portrait that is deleted meanwhile
        ends it too.

        Raises:
            UnknownPortrait: The tenant has no such portrait.
            HistoryGone: The token belongs to no kept event of this portrait.
        """
        with self._tools.hub.subscribe((self._tenant, self._id)) as subscription:
            portrait = await self._desk.get(self._tenant, self._name)
            self._sequence = await self._read_token(resume_token)
            yield self._item(portrait)
            while True:
                if subscription.take_durable():
                    before = self._sequence
                    async for item in self._durable():
                        yield item
                        if isinstance(item.news, Portrait):
                            portrait = item.news
                    if self._sequence == before and await self._is_gone():
                        return
                if portrait.state.is_terminal or subscription.is_drained:
                    return
                for news in await subscription.wait(_POLL_S):
                    live = await self._live(news)
                    if live is not None:
                        yield live
                if time.monotonic() - self._last_message_s > self._tools.limits.heartbeat_s:
                    yield self._item(None)

    async def _is_gone(self) -> bool:
        return await asyncio.to_thread(self._tools.store.find_portrait, self._tenant, self._id) is None

    async def _durable(self) -> AsyncIterator[WatchItem]:
        """Yield the events since the last one; of several changes of the portrait only the last is told."""
        events = await asyncio.to_thread(
            self._tools.store.events_after, self._tenant, self._id, self._sequence
        )
        changes = [event.sequence for event in events if event.candidate is None]
        for event in events:
            self._sequence = event.sequence
            if event.candidate is not None:
                yield await self._candidate(event, event.candidate)
            elif event.sequence == changes[-1]:
                try:
                    yield self._item(await self._desk.get(self._tenant, self._name))
                except UnknownPortrait:
                    return

    async def _candidate(self, event: DurableEvent, news: CandidateNews) -> WatchItem:
        thumbnail = None
        if (ref := news.candidate.thumbnail) is not None:
            thumbnail = await self._tools.artifacts.get(ref.uri, tenant=self._tenant)
        return self._item(news, event.time, thumbnail)

    async def _live(self, news: LiveNews) -> WatchItem | None:
        if isinstance(news, StepNews):
            return self._item(news)
        if time.monotonic() - self._last_estimate_s < _ESTIMATE_INTERVAL_S:
            return None
        self._last_estimate_s = time.monotonic()
        try:
            portrait = await self._desk.get(self._tenant, self._name)
        except UnknownPortrait:
            return None
        # The end of a portrait is told by its own event, after all others.
        return None if portrait.state.is_terminal else self._item(_estimated(portrait, news))

    def _item(
        self,
        news: Portrait | CandidateNews | StepNews | None,
        when: datetime | None = None,
        thumbnail: bytes | None = None,
    ) -> WatchItem:
        self._last_message_s = time.monotonic()
        token = f"{self._id}.{self._sequence}"
        return WatchItem(self._sequence, token, when or utc_now(), news, thumbnail)

    async def _read_token(self, token: str) -> int:
        if not token:
            return 0
        portrait_id, _, number = token.rpartition(".")
        last = await asyncio.to_thread(self._tools.store.last_sequence, self._tenant, self._id)
        if portrait_id != self._id or not number.isdecimal() or int(number) > last:
            raise HistoryGone()
        return int(number)


def _estimated(portrait: Portrait, estimate: Estimate) -> Portrait:
    progress = max(portrait.progress, estimate.progress)
    return portrait.model_copy(update={"progress": progress, "remaining_s": estimate.remaining_s})
