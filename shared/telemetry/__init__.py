"""What operators see: logs as events with fields, Prometheus metrics, optional traces."""

from shared.telemetry.logging import configure_logging, get_logger
from shared.telemetry.metrics import queue_depth, stage, start_exposition
from shared.telemetry.tracing import configure_tracing, span

__all__ = [
    "configure_logging",
    "configure_tracing",
    "get_logger",
    "queue_depth",
    "span",
    "stage",
    "start_exposition",
]
