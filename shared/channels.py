"""Channels to our services: one place for time-outs, retries, limits and what travels with a call."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from shared.context import REQUEST_ID_HEADER, TENANT_HEADER, RequestContext, current_request
from shared.telemetry.tracing import outgoing_headers

_MAX_MESSAGE_BYTES = 16 * 2**20
_UNARY_TIMEOUT_S = 120.0
_KEEPALIVE_MS = 30_000
# Verbs that change something: repeated after a lost answer they could act twice.
_MUTATIONS = ("Create", "Upload", "Update", "Cancel", "Delete")
_RETRY_UNAVAILABLE = {
    "maxAttempts": 4,
    "initialBackoff": "0.2s",
    "maxBackoff": "3s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def open_channel(
    target: str,
    services: Sequence[str],
    *,
    max_message_bytes: int = _MAX_MESSAGE_BYTES,
    timeouts_s: Mapping[str, float] | None = None,
    tenant: str | None = None,
) -> grpc.aio.Channel:
    """Open a plaintext channel; connecting happens at the first call.

    Every call carries the tenant, request id, deadline and trace of the current request, if there is one.
    A create call without a request_id gets one, which makes its retry safe.

    Args:
        target: "host:port".
        services: Full proto service names that will be called through it; their stubs must be installed.
        max_message_bytes: Limit both ways; the servers' default is the same.
        timeouts_s: "Service/Method" -> seconds, where the 120 s of unary calls do not fit. Streams have none.
        tenant: Whom calls outside any request are made for; default: the server's default tenant.
    """
    options = [
        ("grpc.service_config", json.dumps(service_config(services, timeouts_s or {}))),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    travellers = _Travellers(tenant)
    interceptors = [kind(travellers) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]
    return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)


def service_config(services: Sequence[str], timeouts_s: Mapping[str, float]) -> dict[str, Any]:
    """The gRPC service config: time-outs for unary calls; retries of UNAVAILABLE where a repeat is safe.

    Safe is: no request stream, and either no mutation or one with a request_id.
    """
    methods = [
        _method_config(service, method, timeouts_s)
        for service in map(_descriptor, services)
        for method in service.methods
    ]
    return {"methodConfig": methods}


def _method_config(
    service: ServiceDescriptor, method: MethodDescriptor, timeouts_s: Mapping[str, float]
) -> dict[str, Any]:
    config: dict[str, Any] = {"name": [{"service": service.full_name, "method": method.name}]}
    default_s = None if method.server_streaming else _UNARY_TIMEOUT_S
    if timeout_s := timeouts_s.get(f"{service.full_name}/{method.name}", default_s):
        config["timeout"] = f"{timeout_s:g}s"
    if _is_repeatable(method):
        config["retryPolicy"] = _RETRY_UNAVAILABLE
    return config


def _is_repeatable(method: MethodDescriptor) -> bool:
    if method.client_streaming:
        return False
    is_mutation = method.name.startswith(_MUTATIONS)
    return not is_mutation or "request_id" in method.input_type.fields_by_name


def _descriptor(service: str) -> ServiceDescriptor:
    pool = descriptor_pool.Default()
    try:
        return pool.FindServiceByName(service)
    except KeyError:
        # Descriptors appear with the import of their stubs; ours are likeness.<name>.v1.<name>_pb2.
        package = service.rpartition(".")[0]
        import_module(f"{package}.{package.split('.')[-2]}_pb2")
        return pool.FindServiceByName(service)


class _Travellers:
    """What goes with every call."""

    def __init__(self, tenant: str | None) -> None:
        self._tenant = tenant

    def add_to(self, details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        request = _request_or_none()
        headers = outgoing_headers()
        tenant = request.tenant if request else self._tenant
        if tenant:
            headers[TENANT_HEADER] = tenant
        if request:
            headers[REQUEST_ID_HEADER] = request.request_id
        given = list(details.metadata or ())
        names = {key for key, _ in given}
        metadata = grpc.aio.Metadata(*given, *((k, v) for k, v in headers.items() if k not in names))
        timeout = details.timeout
        if request and request.deadline_s is not None:
            timeout = request.deadline_s if timeout is None else min(timeout, request.deadline_s)
        return details._replace(metadata=metadata, timeout=timeout)


def _request_or_none() -> RequestContext | None:
    try:
        return current_request()
    except LookupError:
        return None


def _with_request_id(request: Any) -> Any:
    """A copy of a create request with a request_id, if it has that field and left it empty."""
    field = request.DESCRIPTOR.fields_by_name.get("request_id")
    if field is None or request.request_id or not request.DESCRIPTOR.name.startswith("Create"):
        return request
    copy = type(request)()
    copy.CopyFrom(request)
    copy.request_id = str(uuid.uuid4())
    return copy


class _Interceptor:
    def __init__(self, travellers: _Travellers) -> None:
        self._travellers = travellers

    async def _go_on(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return await continuation(self._travellers.add_to(details), request)


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._go_on(continuation, client_call_details, _with_request_id(request))


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[misc]
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._go_on(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):  # type: ignore[misc]
    async def intercept_stream_unary(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._go_on(continuation, client_call_details, request_iterator)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):  # type: ignore[misc]
    async def intercept_stream_stream(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._go_on(continuation, client_call_details, request_iterator)
