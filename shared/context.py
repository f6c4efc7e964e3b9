"""What a service may know of the request that it works on."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.cancellation import CancellationToken

DEFAULT_TENANT = "default"
TENANT_HEADER = "x-likeness-tenant"
REQUEST_ID_HEADER = "x-likeness-request-id"


@dataclass(frozen=True)
class RequestContext:
    """One request: who asks, until when, and whether the answer is still wanted.

    Attributes:
        request_id: Correlates logs across services. Not the idempotency key in request messages.
        tenant: The owner of everything the request touches.
        token: Cancelled when the client goes, the deadline passes, or the server stops hard.
        expires_at_s: The deadline on the clock of `time.monotonic`, or None.
        method: The full RPC name ("/package.Service/Method"), or "" outside an RPC.
    """

    request_id: str
    tenant: str = DEFAULT_TENANT
    token: CancellationToken = field(default_factory=CancellationToken)
    expires_at_s: float | None = None
    method: str = ""

    @property
    def deadline_s(self) -> float | None:
        """Seconds left now, never negative; None when there is no deadline."""
        if self.expires_at_s is None:
            return None
        return max(0.0, self.expires_at_s - time.monotonic())


_current: ContextVar[RequestContext] = ContextVar("likeness_request")


def current_request() -> RequestContext:
    """The request that this task works on. It follows `asyncio.to_thread`, not bare executors.

    Raises:
        LookupError: There is none; background work opens its own with `request_scope`.
    """
    return _current.get()


@contextmanager
def request_scope(
    tenant: str = DEFAULT_TENANT,
    *,
    request_id: str = "",
    token: CancellationToken | None = None,
    deadline_s: float | None = None,
    method: str = "",
) -> Iterator[RequestContext]:
    """Make a request the current one, for background work and tests; the server does it for each RPC."""
    context = RequestContext(
        request_id=request_id or uuid.uuid4().hex,
        tenant=tenant,
        token=token or CancellationToken(),
        expires_at_s=None if deadline_s is None else time.monotonic() + deadline_s,
        method=method,
    )
    reset = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(reset)
