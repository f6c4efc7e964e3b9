"""Opens the request: tenant, request id, deadline, cancellation token."""

import re
from typing import Any

from structlog.contextvars import bound_contextvars

from shared.artifacts.store import is_tenant_name
from shared.context import DEFAULT_TENANT, REQUEST_ID_HEADER, TENANT_HEADER, request_scope
from shared.errors.common import FieldInvalid
from shared.errors.rpc import abort_with
from shared.server.call import Call, CallInterceptor, Proceed

# Kept back from the client's deadline, so that our typed answer still reaches it: the way there, and the
# 1 % by which grpc rounds deadlines up on the wire.
_MARGIN_S = 0.05
_MARGIN_SHARE = 0.01
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContextSetter(CallInterceptor):
    """Makes `current_request()` work, and cancels its token when the call fails, ends early or expires."""

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """See `CallInterceptor.around`."""
        headers = call.headers
        tenant = headers.get(TENANT_HEADER, DEFAULT_TENANT)
        if not is_tenant_name(tenant):
            problem = "must be 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
            # The error mapper is further in, so this one refusal is sent from here.
            await abort_with(call.context, FieldInvalid(field=f"metadata {TENANT_HEADER}", problem=problem))
        with request_scope(
            tenant,
            request_id=_usable(headers.get(REQUEST_ID_HEADER, "")),
            deadline_s=_deadline_s(call),
            method=call.path,
        ) as request:
            call.context.set_trailing_metadata(((REQUEST_ID_HEADER, request.request_id),))
            with bound_contextvars(request_id=request.request_id, tenant=tenant, method=call.path):
                try:
                    return await proceed(call.request)
                except BaseException:
                    # A thread in an executor runs on after its awaiter was cancelled; this tells it.
                    request.token.cancel()
                    raise


def _usable(request_id: str) -> str:
    """The caller's id if it is safe to log, else "" for a new one."""
    return request_id if _REQUEST_ID.fullmatch(request_id) else ""


def _deadline_s(call: Call) -> float | None:
    remaining_s = call.context.time_remaining()
    return None if remaining_s is None else max(0.0, remaining_s * (1 - _MARGIN_SHARE) - _MARGIN_S)
