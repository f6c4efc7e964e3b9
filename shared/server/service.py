"""What a service hands to the server that runs it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import grpc

from shared.settings import ServiceSettings


@dataclass(frozen=True)
class ServiceLimits:
    """How much one service takes on, and how long.

    Attributes:
        max_concurrent_rpcs: Unary-response calls worked on at a time.
        max_queued_rpcs: Unary-response calls that may wait for a slot; the next one gets QUEUE_FULL.
        max_streams: Response streams (watches, generations) open at a time; they never wait.
        default_deadline_s: Deadline of a unary-response call that brings none; None = unlimited.
        min_deadlines_s: Method name -> seconds below which a deadline is refused at once.
    """

    max_concurrent_rpcs: int = 64
    max_queued_rpcs: int = 256
    max_streams: int = 512
    default_deadline_s: float | None = None
    min_deadlines_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, settings: ServiceSettings, min_deadlines_s: Mapping[str, float] | None = None
    ) -> "ServiceLimits":
        """The limits that a service's settings ask for."""
        return cls(
            max_concurrent_rpcs=settings.max_concurrent_rpcs,
            max_queued_rpcs=settings.max_queued_rpcs,
            default_deadline_s=settings.default_deadline_s,
            min_deadlines_s=min_deadlines_s or {},
        )


async def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Service:
    """One proto service and its life cycle.

    Attributes:
        name: Full proto service name, "likeness.fusion.v1.FusionService".
        add_to: Registers the servicer. Its handlers are coroutines or async generators.
        warm_up: Loads everything and makes one real request, in a thread (`asyncio.to_thread`); until it
            returns, calls get NOT_WARM. An exception ends the process with a non-zero code.
        close: Called once after the last call ended: persist or fail what runs, close adapters.
        on_drain: Called when the drain begins: end watches (`ProgressLog.drain`), accept no new jobs.
        limits: Admission and deadlines.
    """

    name: str
    add_to: Callable[[grpc.aio.Server], None]
    warm_up: Callable[[], Awaitable[None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing
    on_drain: Callable[[], None] = lambda: None
    limits: ServiceLimits = field(default_factory=ServiceLimits)
