"""A fake UNet whose calls the test lets through one by one."""

import asyncio
from collections.abc import Callable

import numpy as np

from services.diffusion.adapters.fake import FakeUNet
from services.diffusion.domain.rows import RowBatch


class GatedUNet(FakeUNet):
    """Lets the test see each batch before it is computed, and fail chosen ones."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Semaphore(0)
        self.batches: list[RowBatch] = []
        self.at_gate = 0  # calls that have come so far, let through or not
        self.poison: float | None = None
        self.loop = asyncio.get_event_loop()

    def predict(self, batch: RowBatch) -> np.ndarray:
        self.at_gate += 1
        asyncio.run_coroutine_threadsafe(self.gate.acquire(), self.loop).result(timeout=20)
        self.batches.append(batch)
        if any(row.timestep == self.poison for row in batch.rows):
            raise RuntimeError("poisoned row")
        return super().predict(batch)

    def release(self, count: int = 1000) -> None:
        for _ in range(count):
            self.gate.release()


async def until(condition: Callable[[], object]) -> None:
    """Wait for *condition*, ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)
