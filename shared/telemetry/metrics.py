"""Prometheus metrics: per RPC and per stage count, latency and work in flight; queue depth."""

import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

from shared.cancellation import Cancelled

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

# From a health check (1 ms) to a training on a CPU (10 min).
_SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600)

_RPC = ("service", "method")
RPC_COUNT = Counter("likeness_rpc", "Finished RPCs.", (*_RPC, "code"), registry=REGISTRY)
RPC_SECONDS = Histogram(
    "likeness_rpc_seconds", "Wall time of RPCs in seconds.", _RPC, buckets=_SECONDS, registry=REGISTRY
)
RPC_IN_FLIGHT = Gauge("likeness_rpc_in_flight", "RPCs being worked on.", _RPC, registry=REGISTRY)

_STAGE = ("service", "stage")
STAGE_COUNT = Counter("likeness_stage", "Finished stages.", (*_STAGE, "outcome"), registry=REGISTRY)
STAGE_SECONDS = Histogram(
    "likeness_stage_seconds", "Wall time of stages in seconds.", _STAGE, buckets=_SECONDS, registry=REGISTRY
)
STAGE_IN_FLIGHT = Gauge("likeness_stage_in_flight", "Stages being worked on.", _STAGE, registry=REGISTRY)

QUEUE_DEPTH = Gauge("likeness_queue_depth", "Entries that wait.", ("queue",), registry=REGISTRY)


@contextmanager
def stage(service: str, name: str) -> Iterator[None]:
    """Measure one stage of work: count with outcome ok, cancelled or error; latency; in flight.

    Works around `await` too. Keep *service* and *name* to a fixed vocabulary: each pair is a time series.
    """
    outcome, start = "ok", time.perf_counter()
    STAGE_IN_FLIGHT.labels(service, name).inc()
    try:
        yield
    except (Cancelled, CancelledError, GeneratorExit):
        outcome = "cancelled"
        raise
    except BaseException:
        outcome = "error"
        raise
    finally:
        STAGE_IN_FLIGHT.labels(service, name).dec()
        STAGE_SECONDS.labels(service, name).observe(time.perf_counter() - start)
        STAGE_COUNT.labels(service, name, outcome).inc()


def queue_depth(queue: str) -> Gauge:
    """The gauge of one queue: `queue_depth("diffusion.rows").set(n)`."""
    return QUEUE_DEPTH.labels(queue)


def start_exposition(port: int, host: str) -> tuple[int, Callable[[], None]]:
    """Serve /metrics over HTTP on a daemon thread.

    Args:
        port: 0 takes a free one.
        host: Address to listen on.

    Returns:
        The port, and a function that stops the server.
    """
    server, thread = start_http_server(port, addr=host, registry=REGISTRY)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server.server_port, stop
