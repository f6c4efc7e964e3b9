"""Forgets deleted adapters that nobody told this process of, such as a replica that no call reached."""

import asyncio

from services.diffusion.engine.generation import Generation
from shared.telemetry import get_logger

_log = get_logger(__name__)


class Sweeper:
    """Asks the store every *interval_s* whether the adapters in memory still exist."""

    def __init__(self, generation: Generation, interval_s: float) -> None:
        self._generation = generation
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; call once, inside the event loop."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                if count := await self._generation.sweep():
                    _log.info("diffusion.adapters_forgotten", count=count)
            except Exception as error:  # the store is out of reach: the next sweep asks again
                _log.warning("diffusion.sweep_failed", error=repr(error))
