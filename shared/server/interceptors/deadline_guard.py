"""Refuses deadlines that cannot be met, and gives one to calls that have none."""

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.context import current_request, request_scope
from shared.errors.common import DeadlineExceeded, DeadlineTooShort
from shared.server.call import Call, CallInterceptor, Proceed
from shared.server.service import ServiceLimits


class DeadlineGuard(CallInterceptor):
    """Applies each service's `min_deadlines_s` and `default_deadline_s`.

    A client's own deadline is enforced by grpc, which cancels the handler.
    """

    def __init__(self, limits: Mapping[str, ServiceLimits]) -> None:
        self._limits = limits

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """See `CallInterceptor.around`."""
        limits = self._limits.get(call.service)
        if limits is None:
            return await proceed(call.request)
        remaining_s = call.context.time_remaining()
        needed_s = limits.min_deadlines_s.get(call.method, 0.0)
        if remaining_s is not None and remaining_s <= needed_s:
            raise DeadlineTooShort(remaining_s=max(0.0, remaining_s), needed_s=needed_s)
        if remaining_s is None and limits.default_deadline_s and not call.streams_responses:
            return await _within(limits.default_deadline_s, call, proceed)
        return await proceed(call.request)


async def _within(deadline_s: float, call: Call, proceed: Proceed) -> Any:
    outer = current_request()
    with request_scope(
        outer.tenant,
        request_id=outer.request_id,
        token=outer.token,
        deadline_s=deadline_s,
        method=outer.method,
    ):
        try:
            async with asyncio.timeout(deadline_s) as limit:
                return await proceed(call.request)
        except TimeoutError:
            if limit.expired():
                raise DeadlineExceeded() from None
            raise
