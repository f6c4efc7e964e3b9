"""Shared by the stores: request ids, and pages with keyset tokens."""

import base64
import binascii
from typing import Any

import sqlalchemy as sa

from services.orchestrator.adapters.tables import requests
from services.orchestrator.domain.stores import RequestKey
from services.orchestrator.errors import PageTokenInvalid, RequestIdReused


def find_request(connection: sa.Connection, tenant: str, key: RequestKey | None) -> str | None:
    """Return the id of the resource that this request made before, or None.

    Raises:
        RequestIdReused: The request id came with another body.
    """
    if key is None:
        return None
    query = sa.select(requests.c.fingerprint, requests.c.resource_id).where(
        requests.c.tenant == tenant,
        requests.c.kind == key.kind,
        requests.c.request_id == key.request_id,
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    if row.fingerprint != key.fingerprint:
        raise RequestIdReused(request_id=key.request_id)
    return str(row.resource_id)


def record_request(connection: sa.Connection, tenant: str, key: RequestKey | None, resource_id: str) -> None:
    """Remember which resource a request made."""
    if key is not None:
        connection.execute(
            requests.insert().values(
                tenant=tenant,
                kind=key.kind,
                request_id=key.request_id,
                fingerprint=key.fingerprint,
                resource_id=resource_id,
            )
        )


def forget_requests(connection: sa.Connection, tenant: str, kind: str, resource_id: str) -> None:
    """Forget the requests that made a resource, as it is gone."""
    connection.execute(
        requests.delete().where(
            requests.c.tenant == tenant, requests.c.kind == kind, requests.c.resource_id == resource_id
        )
    )


def page(
    connection: sa.Connection, table: sa.Table, query: sa.Select[Any], listing: str, limit: int, after: str
) -> tuple[list[str], str]:
    """Return the documents of one page, the newest first, and the token of the next page.

    The token names the last row seen, so rows that come or go in between shift nothing.

    Args:
        connection: An open transaction.
        table: Table with the columns "created", "id" and "doc".
        query: What is listed, without order and limit.
        listing: Names the listing with its filters; a token of another listing is refused.
        limit: Rows of the page.
        after: Token of the page, "" for the first.
    """
    if after:
        created, row_id = _read_token(after, listing)
        query = query.where(sa.tuple_(table.c.created, table.c.id) < sa.tuple_(created, row_id))
    ordered = query.order_by(table.c.created.desc(), table.c.id.desc()).limit(limit + 1)
    rows = connection.execute(ordered).all()
    more = len(rows) > limit
    rows = rows[:limit]
    token = _token(listing, rows[-1].created, rows[-1].id) if more else ""
    return [row.doc for row in rows], token


def _token(listing: str, created: str, row_id: str) -> str:
    return base64.urlsafe_b64encode("\n".join([listing, created, row_id]).encode()).decode()


def _read_token(token: str, listing: str) -> tuple[str, str]:
    try:
        found, created, row_id = base64.urlsafe_b64decode(token.encode()).decode().split("\n")
    except (ValueError, binascii.Error):
        raise PageTokenInvalid() from None
    if found != listing:
        raise PageTokenInvalid()
    return created, row_id
