"""One UNet call and what follows from it, on the thread of the UNet."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.events import Progress
from services.diffusion.domain.model import Model
from services.diffusion.domain.rows import RowBatch
from services.diffusion.engine.batcher import RowBatcher, RowRef, Ticket
from services.diffusion.engine.limits import Threads
from services.diffusion.engine.run import Run
from services.diffusion.metrics import BATCH_SIZE
from shared.errors import LikenessError
from shared.telemetry import stage

Array = NDArray[np.float32]
Outcome = tuple[Ticket[Run], list[Progress] | Exception]


class Turns:
    """Evaluates batches of one model and advances the programs whose step is complete."""

    def __init__(self, model: Model, batcher: RowBatcher[Run], threads: Threads) -> None:
        self._name = model.info.name
        self._unet = model.unet
        self._codec = model.codec
        self._batcher = batcher
        self._executor = threads.unet
        self.mean_s = 0.1  # moving average of a turn

    async def take(self, batch: Sequence[RowRef[Run]]) -> list[Outcome]:
        """Predict *batch* and deliver; what became of the pictures that failed or finished a step."""
        loop = asyncio.get_running_loop()
        BATCH_SIZE.labels(self._name, "unet").observe(len(batch))
        runs = {ref.ticket.owner for ref in batch}
        began_s = time.monotonic()
        for run in runs:
            run.begin_call(began_s)
        results = await loop.run_in_executor(self._executor, self._predict, batch)
        failed: dict[Ticket[Run], Exception] = {}
        arrived: list[tuple[RowRef[Run], Array]] = []
        for ref, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                failed[ref.ticket] = result
            else:
                arrived.append((ref, result))
        complete = self._batcher.deliver([ref for ref, _ in arrived], [array for _, array in arrived])
        outcomes = await loop.run_in_executor(self._executor, self._advance, complete, len(batch))
        took_s = time.monotonic() - began_s
        for run in runs:
            run.clock.compute_s += took_s
        self.mean_s += 0.2 * (took_s - self.mean_s)
        return [*failed.items(), *outcomes]

    def _predict(self, batch: Sequence[RowRef[Run]]) -> Sequence[Array | Exception]:
        """One result per row. If a mixed batch fails, each picture is tried alone: one cannot fail others."""
        try:
            with stage("diffusion", "unet"):
                return list(self._unet.predict(RowBatch.of([ref.row for ref in batch])))
        except LikenessError as error:
            # The backend is out of reach or late: no row's fault, and waiting once for each would take long.
            return [error] * len(batch)
        except Exception as error:
            tickets = dict.fromkeys(ref.ticket for ref in batch)
            if len(tickets) == 1:
                return [error] * len(batch)
        alone = {ticket: iter(self._predict([r for r in batch if r.ticket is ticket])) for ticket in tickets}
        return [next(alone[ref.ticket]) for ref in batch]

    def _advance(self, complete: Sequence[Ticket[Run]], batch_rows: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for ticket in complete:
            try:
                happened = ticket.owner.advance(ticket.take_predictions(), batch_rows, self._codec)
                outcomes.append((ticket, happened))
            except Exception as error:  # this picture's own failure; the others go on
                outcomes.append((ticket, error))
        return outcomes
