"""Drives a system: a closed loop of so many in flight, or open-loop arrivals that wait for nobody."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from loadtests.statistics import Served
from loadtests.traffic import LoadRequest

# Seconds since some moment, which advance as the sleeps of the event loop do.
Clock = Callable[[], float]


@dataclass
class Timeline:
    """Notes when things happen to one request by *clock*, from its arrival; any thread may write."""

    clock: Clock = time.perf_counter
    arrived_s: float = field(init=False)
    first_step_s: float | None = field(init=False, default=None)
    done_s: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.arrived_s = self.clock()

    def step_done(self) -> None:
        """Notes the first step; later ones change nothing."""
        if self.first_step_s is None:
            self.first_step_s = self.clock()

    def served(self) -> Served:
        """Returns the finished record. Raises: RuntimeError if the request took no step."""
        if self.first_step_s is None or self.done_s is None:
            raise RuntimeError("a request ended without a step")
        return Served(self.arrived_s, self.first_step_s, self.done_s)


class System(Protocol):
    """Something that makes pictures."""

    async def serve(self, request: LoadRequest, timeline: Timeline) -> None:
        """Makes one picture; notes the first step and returns when the picture is there."""


async def closed_loop(
    system: System, requests: Sequence[LoadRequest], in_flight: int, *, clock: Clock = time.perf_counter
) -> list[Served]:
    """Keeps *in_flight* requests going until the list is done; returns the records in its order."""
    served: dict[int, Served] = {}
    line = iter(requests)

    async def client() -> None:
        for request in line:
            served[request.index] = await _timed(system, request, clock)

    await asyncio.gather(*(client() for _ in range(in_flight)))
    return [served[request.index] for request in requests]


async def open_loop(
    system: System, requests: Sequence[LoadRequest], *, clock: Clock = time.perf_counter
) -> list[Served]:
    """Asks at each request's arrival, whatever is still unfinished; returns the records in its order."""
    began_s = clock()

    async def client(request: LoadRequest) -> Served:
        await asyncio.sleep(max(0.0, began_s + request.arrival_s - clock()))
        return await _timed(system, request, clock)

    return list(await asyncio.gather(*(client(request) for request in requests)))


async def _timed(system: System, request: LoadRequest, clock: Clock) -> Served:
    timeline = Timeline(clock)
    await system.serve(request, timeline)
    timeline.done_s = clock()
    return timeline.served()
