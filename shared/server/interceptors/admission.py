"""Lets calls in: warm, not draining, and not more than the service takes."""

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.errors.common import Draining, NotWarm
from shared.server.call import Call, CallInterceptor, Proceed
from shared.server.gate import Gate


class Admission(CallInterceptor):
    """Bounds the work per service; health and reflection always get in."""

    def __init__(self, gates: Mapping[str, Gate], drain: asyncio.Event) -> None:
        self._gates = gates
        self._drain = drain

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """See `CallInterceptor.around`."""
        gate = self._gates.get(call.service)
        if gate is None:
            return await self._infrastructure(call, proceed)
        if self._drain.is_set():
            raise Draining()
        if not gate.is_warm:
            raise NotWarm(service=gate.name)
        async with gate.stream() if call.streams_responses else gate.slot():
            return await proceed(call.request)

    async def _infrastructure(self, call: Call, proceed: Proceed) -> Any:
        """A health watch never ends by itself and would make every drain last its whole grace."""
        if not call.streams_responses:
            return await proceed(call.request)
        work = asyncio.ensure_future(proceed(call.request))
        drain = asyncio.ensure_future(self._drain.wait())
        try:
            await asyncio.wait({work, drain}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            drain.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        if work.cancelled():
            raise Draining()
        return work.result()
