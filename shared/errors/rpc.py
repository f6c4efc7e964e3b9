"""Typed errors on the wire: google.rpc.Status with ErrorInfo, and back."""

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from shared.errors.base import FieldViolation, LikenessError
from shared.errors.reasons import ErrorReason

DOMAIN = "likeness"
DETAILS_KEY = "grpc-status-details-bin"
_FIELD_REASONS = {ErrorReason.FIELD_INVALID, ErrorReason.VALUE_OUT_OF_RANGE}

# The reason that stands for a status without details: the transport itself, or a foreign server, made it.
_BARE_STATUS = {
    grpc.StatusCode.CANCELLED: ErrorReason.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED: ErrorReason.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNAVAILABLE: ErrorReason.UNREACHABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ErrorReason.MESSAGE_TOO_LARGE,
    grpc.StatusCode.UNIMPLEMENTED: ErrorReason.CAPABILITY_UNAVAILABLE,
}


class ReceivedError(LikenessError):
    """An error that another server sent, with its reason, metadata and text as they came.

    It may be raised again to our own caller: `to_status` passes it on unchanged.
    """

    def __init__(self, status: status_pb2.Status) -> None:
        self._status = status
        info, retry, request = _unpack(status)
        self._text: str = status.message
        self.reason = _reason(status, info)
        self._fill(dict(info.metadata), _seconds(retry))
        self.violations = tuple(FieldViolation(v.field, v.description) for v in request.field_violations)

    def __reduce__(self) -> tuple[object, ...]:
        """A protobuf message does not pickle by itself in every release, its bytes do."""
        return _received, (self._status.SerializeToString(),)

    @property
    def status(self) -> str:
        """The name of the gRPC status code as received."""
        return str(code_pb2.Code.Name(self._status.code))

    @property
    def fact(self) -> str:
        """The text as received; it holds fact and remedy."""
        return self._text

    @property
    def remedy(self) -> str:
        """Empty: the sender's remedy is part of `fact`."""
        return ""

    @property
    def message(self) -> str:
        """The text as received."""
        return self._text


def to_status(error: LikenessError) -> status_pb2.Status:
    """The wire form: code, public text, ErrorInfo always, RetryInfo and BadRequest where they apply."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    details = [info]
    if error.retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(error.retry_after_s * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if violations := _violations(error):
        entry = error_details_pb2.BadRequest.FieldViolation
        fields = [entry(field=v.field, description=v.problem) for v in violations]
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    status = status_pb2.Status(code=code_pb2.Code.Value(error.status), message=error.message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def from_rpc_error(error: grpc.RpcError) -> ReceivedError:
    """The typed form of what a stub raised; without details, the nearest reason of its status code."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            return ReceivedError(status_pb2.Status.FromString(value))
    text = error.details() or ""
    return ReceivedError(status_pb2.Status(code=error.code().value[0], message=text))


def status_code(error: LikenessError) -> grpc.StatusCode:
    """The grpc enum member of an error's status."""
    return grpc.StatusCode[error.status]


async def abort_with(context: grpc.aio.ServicerContext, error: LikenessError) -> None:
    """End the RPC with *error*.

    Raises:
        grpc.aio.AbortError: Always; that is how grpc ends a handler.
    """
    status = to_status(error)
    trailing = (*(context.trailing_metadata() or ()), (DETAILS_KEY, status.SerializeToString()))
    await context.abort(status_code(error), status.message, trailing)


def _violations(error: LikenessError) -> tuple[FieldViolation, ...]:
    if error.violations or error.reason not in _FIELD_REASONS:
        return error.violations
    return (FieldViolation(error.metadata["field"], error.metadata.get("problem", error.fact)),)


def _unpack(
    status: status_pb2.Status,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo, error_details_pb2.BadRequest]:
    found = (error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), error_details_pb2.BadRequest())
    for packed in status.details:
        for message in found:
            if packed.Is(message.DESCRIPTOR):
                packed.Unpack(message)
    return found


def _reason(status: status_pb2.Status, info: error_details_pb2.ErrorInfo) -> ErrorReason:
    if info.domain == DOMAIN and info.reason in ErrorReason.__members__:
        return ErrorReason(info.reason)
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    return _BARE_STATUS.get(code, ErrorReason.INTERNAL)


def _seconds(retry: error_details_pb2.RetryInfo) -> float | None:
    return float(retry.retry_delay.ToNanoseconds() / 1e9) if retry.HasField("retry_delay") else None


def _received(serialized: bytes) -> ReceivedError:
    return ReceivedError(status_pb2.Status.FromString(serialized))
