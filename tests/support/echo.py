"""A small service of all four call shapes, described at run time, whose handlers a test supplies."""

from collections.abc import Callable
from functools import cache
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "likeness.test.v1.EchoService"
_FIELD = descriptor_pb2.FieldDescriptorProto
# (buf.validate.field).string.max_len = 8, as the option bytes that a stub carries: field 1159 > string (14)
# > max_len (3).
_MAX_LEN_8 = bytes.fromhex("ba48047202") + b"\x18\x08"


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    """EchoService in the default pool, where channels and the validator look services up."""
    file = descriptor_pb2.FileDescriptorProto(
        name="likeness/test/v1/echo.proto", package="likeness.test.v1", syntax="proto3"
    )
    for name in ("EchoRequest", "EchoResponse"):
        message = file.message_type.add(name=name)
        text = message.field.add(name="text", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
        text.options.MergeFromString(_MAX_LEN_8 if name == "EchoRequest" else b"")
        message.field.add(name="number", number=2, type=_FIELD.TYPE_INT32, label=_FIELD.LABEL_OPTIONAL)
        message.field.add(name="blob", number=3, type=_FIELD.TYPE_BYTES, label=_FIELD.LABEL_OPTIONAL)
    service = file.service.add(name="EchoService")
    for method, (streams_in, streams_out) in _SHAPES.items():
        service.method.add(
            name=method,
            input_type=".likeness.test.v1.EchoRequest",
            output_type=".likeness.test.v1.EchoResponse",
            client_streaming=streams_in,
            server_streaming=streams_out,
        )
    pool = descriptor_pool.Default()
    pool.Add(file)
    return pool


_SHAPES = {"Echo": (False, False), "CreateEcho": (False, False), "Watch": (False, True)}
_SHAPES |= {"Upload": (True, False), "Chat": (True, True)}


def message(name: str) -> Any:
    """The class of a message of the echo package."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"likeness.test.v1.{name}"))


def request(text: str = "", **fields: Any) -> Any:
    """An EchoRequest."""
    return message("EchoRequest")(text=text, **fields)


def response(text: str = "", **fields: Any) -> Any:
    """An EchoResponse."""
    return message("EchoResponse")(text=text, **fields)


def add_to(**handlers: Callable[..., Any]) -> Callable[[grpc.aio.Server], None]:
    """Registers *handlers* by method name (Echo, CreateEcho, Watch, Upload, Chat)."""
    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    codecs = {
        "request_deserializer": message("EchoRequest").FromString,
        "response_serializer": message("EchoResponse").SerializeToString,
    }
    table = {name: kinds[_SHAPES[name]](function, **codecs) for name, function in handlers.items()}

    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, table),))

    return register


def stub(channel: grpc.aio.Channel, method: str) -> Any:
    """The callable of one method on *channel*."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    return kinds[_SHAPES[method]](
        f"/{SERVICE}/{method}",
        request_serializer=message("EchoRequest").SerializeToString,
        response_deserializer=message("EchoResponse").FromString,
    )


# Channels look the service up by name, maybe before anyone asks for one of its messages.
_pool()
