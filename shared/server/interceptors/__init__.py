"""What happens around each RPC, outermost first. The order is the contract.

request context -> telemetry -> access log -> error mapper -> deadline guard -> validation -> admission.
The first three see the final status because the error mapper is inside them; everything that may refuse a
call is inside the error mapper, so that each refusal is a typed error.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shared.server.call import CallInterceptor
from shared.server.gate import Gate
from shared.server.interceptors.access_log import AccessLog
from shared.server.interceptors.admission import Admission
from shared.server.interceptors.deadline_guard import DeadlineGuard
from shared.server.interceptors.error_mapper import ErrorMapper
from shared.server.interceptors.request_context import RequestContextSetter
from shared.server.interceptors.telemetry import Telemetry
from shared.server.interceptors.validation import Validation


def build_interceptors(gates: Mapping[str, Gate], drain: asyncio.Event) -> Sequence[CallInterceptor]:
    """All interceptors in order, for services by full name and the event that the drain sets."""
    return (
        RequestContextSetter(),
        Telemetry(),
        AccessLog(),
        ErrorMapper(),
        DeadlineGuard({name: gate.limits for name, gate in gates.items()}),
        Validation(),
        Admission(gates, drain),
    )
