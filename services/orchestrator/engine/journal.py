"""One portrait's record while it is worked on: every change is kept first and then told to the watchers."""

import asyncio
from collections.abc import Callable, Sequence

from services.orchestrator.domain.events import CandidateNews, StepNews
from services.orchestrator.domain.portrait import Candidate, Portrait, Stage
from services.orchestrator.domain.stores import PortraitStore
from services.orchestrator.engine.hub import Hub
from services.orchestrator.engine.meter import Meter


class Journal:
    """Writes to the store and tells the hub."""

    def __init__(self, store: PortraitStore, hub: Hub, portrait: Portrait, meter: Meter) -> None:
        self._store = store
        self._hub = hub
        self._key = (portrait.tenant, portrait.id)
        self.meter = meter

    async def change(
        self,
        change: Callable[[Portrait], Portrait],
        news: Sequence[CandidateNews] = (),
        announce: bool = True,
    ) -> Portrait | None:
        """Change the record and append its events; see `PortraitStore.update_portrait`."""
        changed = await asyncio.to_thread(
            self._store.update_portrait, *self._key, change, news=news, announce=announce
        )
        self._hub.wake(self._key)
        return changed

    async def candidate(self, candidate: Candidate, stage: Stage) -> None:
        """Tell that a candidate has come out of a stage."""
        await self.change(lambda portrait: portrait, [CandidateNews(candidate=candidate, stage=stage)], False)

    def enter(self, stage: Stage) -> None:
        """Tell that a stage begins."""
        self._hub.publish(self._key, self.meter.enter(stage))

    def step(self, news: StepNews) -> None:
        """Tell live progress of the stage."""
        self._hub.publish(self._key, news)
        if news.step_count > 0:
            self._hub.publish(self._key, self.meter.advance(news.steps_done / news.step_count))
