"""One shape for all four kinds of RPC, so that an interceptor is one function."""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc

# Runs the rest of the chain and the handler. Takes the request: a message or an async iterator of them.
Proceed = Callable[[Any], Awaitable[Any]]
_Behaviour = Callable[[Any, grpc.aio.ServicerContext], Awaitable[Any]]

_BUILDERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


@dataclass(frozen=True)
class Call:
    """One RPC as interceptors see it.

    Attributes:
        path: "/package.Service/Method".
        request: The message, or an async iterator when the client streams.
        context: grpc's context of this RPC.
        streams_requests: Whether the client streams.
        streams_responses: Whether the server streams.
    """

    path: str
    request: Any
    context: grpc.aio.ServicerContext
    streams_requests: bool
    streams_responses: bool

    @property
    def service(self) -> str:
        """Full proto service name."""
        return self.path.split("/")[1]

    @property
    def method(self) -> str:
        """Method name without the service."""
        return self.path.split("/")[2]

    @property
    def is_infrastructure(self) -> bool:
        """Health and reflection: neither limited nor logged like work."""
        return self.service.startswith("grpc.")

    @property
    def headers(self) -> dict[str, str]:
        """Text metadata of the request."""
        pairs = self.context.invocation_metadata() or ()
        return {key: value for key, value in pairs if isinstance(value, str)}

    @property
    def code(self) -> grpc.StatusCode:
        """The status as it stands: OK until someone aborts."""
        code = self.context.code()
        if isinstance(code, grpc.StatusCode):
            return code
        return next((known for known in grpc.StatusCode if known.value[0] == code), grpc.StatusCode.OK)


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Base of our interceptors: subclasses implement `around`."""

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """Do something, `await proceed(call.request)`, do something; return what it returned.

        Raises:
            LikenessError: To end the RPC; the error mapper, further out, answers the client.
        """
        raise NotImplementedError

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap the handler; grpc calls this for each RPC."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        path = handler_call_details.method
        shape = bool(handler.request_streaming), bool(handler.response_streaming)
        behaviour = _as_coroutine(handler)

        async def wrapped(request: Any, context: grpc.aio.ServicerContext) -> Any:
            call = Call(path, request, context, *shape)
            return await self.around(call, lambda passed: behaviour(passed, context))

        return _BUILDERS[shape](
            wrapped,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _as_coroutine(handler: grpc.RpcMethodHandler) -> _Behaviour:
    """The handler as a coroutine function.

    A generator handler is run by grpc's own loop, outside of it, where no interceptor sees a cancellation
    that arrives during a write; a coroutine that writes is all ours.
    """
    function: Any = (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )
    if inspect.iscoroutinefunction(function):
        return function  # type: ignore[no-any-return]
    if not inspect.isasyncgenfunction(function):
        raise TypeError(f"handler {function!r} is neither a coroutine nor an async generator function")

    async def write_all(request: Any, context: grpc.aio.ServicerContext) -> None:
        # Closing at once runs the handler's `finally` now, not when the garbage collector comes by.
        async with aclosing(function(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return write_all
