"""Structured logs: one event with fields per line, on standard error."""

import logging
import sys
from typing import Any

import structlog

_SHARED_PROCESSORS: list[Any] = [
    # Adds request_id, tenant and method, which the server binds for each RPC.
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(level: str = "INFO", style: str = "console") -> None:
    """Set up logging for this process; libraries that use `logging` come out in the same form.

    Args:
        level: DEBUG, INFO, WARNING or ERROR; libraries are kept at WARNING or above.
        style: "console" for people, "json" for machines.
    """
    is_json = style == "json"
    render: Any = (
        structlog.processors.JSONRenderer()
        if is_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The richer formatters print local variables, and those hold people's photos.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    # The console renderer prints tracebacks itself; JSON needs them as a field.
    tail: list[Any] = [structlog.processors.format_exc_info, render] if is_json else [render]
    threshold = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*_SHARED_PROCESSORS, *tail],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    _route_libraries(max(threshold, logging.WARNING), tail)


def get_logger(component: str) -> Any:
    """A logger whose events carry *component*: `log.info("generation.finished", steps=30, wall_s=1.9)`."""
    return structlog.get_logger(component=component)


def _route_libraries(threshold: int, tail: list[Any]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED_PROCESSORS, processors=[remove_meta, *tail]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
