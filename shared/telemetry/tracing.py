"""OpenTelemetry spans, off unless a setting turns them on."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

_SCOPE = "likeness"
_provider: TracerProvider | None = None


def configure_tracing(service: str, *, use_tracing: bool, exporter: SpanExporter | None = None) -> None:
    """Turn spans on or off for this process; off sends what is still buffered.

    Args:
        service: `service.name` of the spans.
        use_tracing: The setting.
        exporter: Where spans go; default: OTLP if its package is installed (it reads the usual OTEL_*
            variables), else standard output.
    """
    global _provider
    if _provider is not None:
        _provider.shutdown()
        _provider = None
    if use_tracing:
        _provider = TracerProvider(resource=Resource.create({"service.name": service}))
        _provider.add_span_processor(BatchSpanProcessor(exporter or _default_exporter()))


def span(name: str, **attributes: str | int | float | bool) -> AbstractContextManager[Any]:
    """A span around a block; free when tracing is off."""
    if _provider is None:
        return nullcontext()
    return _provider.get_tracer(_SCOPE).start_as_current_span(name, attributes=attributes)


@contextmanager
def remote_span(name: str, metadata: Mapping[str, str]) -> Iterator[None]:
    """The span of an RPC, child of the caller's span in *metadata* (W3C traceparent)."""
    if _provider is None:
        yield
        return
    parent = propagate.extract(dict(metadata))
    tracer = _provider.get_tracer(_SCOPE)
    with tracer.start_as_current_span(name, context=parent, kind=trace.SpanKind.SERVER):
        yield


def outgoing_headers() -> dict[str, str]:
    """Metadata that makes the callee's span a child of ours; empty when tracing is off."""
    headers: dict[str, str] = {}
    if _provider is not None:
        propagate.inject(headers)
    return headers


def _default_exporter() -> SpanExporter:
    try:
        module = import_module("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")
    except ImportError:
        return ConsoleSpanExporter()
    exporter: SpanExporter = module.OTLPSpanExporter()
    return exporter
