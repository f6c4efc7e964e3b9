"""What requests of several kinds have in common."""

import hashlib

from google.protobuf.message import Message

from services.orchestrator.domain.stores import RequestKey

DEFAULT_PAGE_SIZE = 50


def request_key(kind: str, request: Message, request_id: str) -> RequestKey | None:
    """Return the idempotency key of a create request, None where it has no request id."""
    if not request_id:
        return None
    body = hashlib.sha256(request.SerializeToString(deterministic=True))
    return RequestKey(kind, request_id, body.hexdigest())
