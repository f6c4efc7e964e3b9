"""Counts and times each RPC, and opens its span."""

import time
from typing import Any

from shared.server.call import Call, CallInterceptor, Proceed
from shared.telemetry.metrics import RPC_COUNT, RPC_IN_FLIGHT, RPC_SECONDS
from shared.telemetry.tracing import remote_span


class Telemetry(CallInterceptor):
    """Prometheus metrics per service and method; a trace span when tracing is on."""

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """See `CallInterceptor.around`."""
        labels, start = (call.service, call.method), time.perf_counter()
        RPC_IN_FLIGHT.labels(*labels).inc()
        try:
            with remote_span(call.path, call.headers):
                return await proceed(call.request)
        finally:
            RPC_IN_FLIGHT.labels(*labels).dec()
            RPC_SECONDS.labels(*labels).observe(time.perf_counter() - start)
            RPC_COUNT.labels(*labels, call.code.name).inc()
