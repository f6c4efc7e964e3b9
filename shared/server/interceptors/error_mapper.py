"""Turns whatever a handler raised into a status with details. Nothing else of an exception leaves."""

import asyncio
import uuid
from typing import Any

import grpc
from structlog.contextvars import bind_contextvars

from shared.cancellation import Cancelled
from shared.context import current_request
from shared.errors import LikenessError
from shared.errors.common import CapabilityUnavailable, DeadlineExceeded, InternalError
from shared.errors.rpc import abort_with, from_rpc_error
from shared.server.call import Call, CallInterceptor, Proceed
from shared.telemetry.logging import get_logger

_log = get_logger("rpc")


class ErrorMapper(CallInterceptor):
    """Typed errors keep their reason; everything else becomes INTERNAL with an id that the log explains."""

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """See `CallInterceptor.around`."""
        try:
            return await proceed(call.request)
        except grpc.aio.AbortError:
            # An Exception like any other, by which grpc ends a handler that has already answered.
            raise
        except asyncio.CancelledError:
            # Left alone, a cancellation from inside (an inner task, a shared future) leaves the client
            # hanging without an answer (grpc#29248). If the client itself is gone, this reaches nobody.
            error: LikenessError = DeadlineExceeded() if _is_expired() else Cancelled()
        except LikenessError as raised:
            error = raised
        except grpc.RpcError as raised:
            error = from_rpc_error(raised)
        except NotImplementedError as raised:
            error = _unimplemented(call, raised)
        except Exception as raised:
            error = _internal(raised)
        bind_contextvars(reason=str(error.reason))
        await abort_with(call.context, error)


def _is_expired() -> bool:
    return current_request().deadline_s == 0.0


def _unimplemented(call: Call, raised: NotImplementedError) -> LikenessError:
    """Generated base servicers set the code before they raise; anyone else's NotImplementedError is a bug."""
    if call.code is not grpc.StatusCode.UNIMPLEMENTED:
        return _internal(raised)
    return CapabilityUnavailable(capability=call.path, needed="a server that implements this method")


def _internal(raised: Exception) -> LikenessError:
    error_id = uuid.uuid4().hex[:12]
    _log.error("rpc.failed", error_id=error_id, exc_info=raised)
    return InternalError(error_id=error_id)
