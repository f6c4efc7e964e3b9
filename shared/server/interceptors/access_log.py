"""One log event per RPC."""

import time
from typing import Any

import grpc

from shared.server.call import Call, CallInterceptor, Proceed
from shared.telemetry.logging import get_logger

_log = get_logger("rpc")


class AccessLog(CallInterceptor):
    """Logs `rpc.finished` with code, reason, wall time and peer; request id, tenant and method are bound."""

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """See `CallInterceptor.around`."""
        start = time.perf_counter()
        try:
            return await proceed(call.request)
        finally:
            # Balancers poll health every few seconds: at info that would be most of the log.
            write = _log.debug if call.is_infrastructure else _log.info
            if call.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):
                write = _log.error
            wall_s = round(time.perf_counter() - start, 4)
            write("rpc.finished", code=call.code.name, wall_s=wall_s, peer=call.context.peer())
