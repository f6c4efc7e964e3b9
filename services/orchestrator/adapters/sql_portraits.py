"""Portraits and their durable events in SQL."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from services.orchestrator.adapters.sql_requests import find_request, forget_requests, page, record_request
from services.orchestrator.adapters.tables import events, portraits
from services.orchestrator.domain.base import utc_now
from services.orchestrator.domain.events import CandidateNews, DurableEvent
from services.orchestrator.domain.portrait import Portrait
from services.orchestrator.domain.stores import RequestKey
from services.orchestrator.errors import QueueFull

# What a caller that met a full queue waits: about the time of a train-free portrait.
_RETRY_AFTER_S = 20.0


class SqlPortraits:
    """`PortraitStore` over SQLAlchemy."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add_portrait(
        self, portrait: Portrait, key: RequestKey | None, max_active: int
    ) -> tuple[Portrait, bool]:
        """See the port."""
        with self._engine.begin() as connection:
            known = find_request(connection, portrait.tenant, key)
            if known is not None and (found := _read(connection, portrait.tenant, known)) is not None:
                return found, False
            if _count_active(connection, portrait.tenant) >= max_active:
                raise QueueFull(queue="The orchestrator", limit=max_active, retry_after_s=_RETRY_AFTER_S)
            record_request(connection, portrait.tenant, key, portrait.id)
            connection.execute(
                portraits.insert().values(
                    tenant=portrait.tenant,
                    id=portrait.id,
                    created=portrait.create_time.isoformat(),
                    identity=portrait.spec.identity,
                    is_active=not portrait.state.is_terminal,
                    is_cancel_requested=False,
                    doc=portrait.model_dump_json(),
                )
            )
            _append(connection, portrait, None)
            return portrait, True

    def find_portrait(self, tenant: str, portrait_id: str) -> Portrait | None:
        """See the port."""
        with self._engine.begin() as connection:
            return _read(connection, tenant, portrait_id)

    def update_portrait(
        self,
        tenant: str,
        portrait_id: str,
        change: Callable[[Portrait], Portrait],
        *,
        news: Sequence[CandidateNews] = (),
        announce: bool = True,
    ) -> Portrait | None:
        """See the port."""
        with self._engine.begin() as connection:
            portrait = _read(connection, tenant, portrait_id, lock=True)
            if portrait is None or portrait.state.is_terminal:
                return portrait
            changed = change(portrait)
            connection.execute(
                portraits.update()
                .where(_is(tenant, portrait_id))
                .values(doc=changed.model_dump_json(), is_active=not changed.state.is_terminal)
            )
            for item in news:
                _append(connection, changed, item)
            if announce:
                _append(connection, changed, None)
            return changed

    def list_portraits(
        self, tenant: str, limit: int, after: str, identity: str = ""
    ) -> tuple[list[Portrait], str]:
        """See the port."""
        query = sa.select(portraits).where(portraits.c.tenant == tenant)
        if identity:
            query = query.where(portraits.c.identity == identity)
        with self._engine.begin() as connection:
            listing = f"portraits {tenant} {identity}"
            docs, token = page(connection, portraits, query, listing, limit, after)
        return [Portrait.model_validate_json(doc) for doc in docs], token

    def active_portraits(self) -> list[tuple[str, str]]:
        """See the port."""
        query = sa.select(portraits.c.tenant, portraits.c.id).where(portraits.c.is_active)
        with self._engine.begin() as connection:
            rows = connection.execute(query.order_by(portraits.c.created)).all()
            return [(row.tenant, row.id) for row in rows]

    def delete_portrait(self, tenant: str, portrait_id: str) -> bool:
        """See the port."""
        with self._engine.begin() as connection:
            connection.execute(events.delete().where(_of(tenant, portrait_id)))
            forget_requests(connection, tenant, "portrait", portrait_id)
            result = connection.execute(portraits.delete().where(_is(tenant, portrait_id)))
            return result.rowcount > 0

    def request_cancel(self, tenant: str, portrait_id: str) -> bool:
        """See the port."""
        statement = portraits.update().where(_is(tenant, portrait_id)).values(is_cancel_requested=True)
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount > 0

    def is_cancel_requested(self, tenant: str, portrait_id: str) -> bool:
        """See the port."""
        query = sa.select(portraits.c.is_cancel_requested).where(_is(tenant, portrait_id))
        with self._engine.begin() as connection:
            return bool(connection.execute(query).scalar_one_or_none() in (None, True))

    def events_after(self, tenant: str, portrait_id: str, sequence: int) -> list[DurableEvent]:
        """See the port."""
        query = sa.select(events.c.doc).where(_of(tenant, portrait_id), events.c.sequence > sequence)
        with self._engine.begin() as connection:
            docs = connection.execute(query.order_by(events.c.sequence)).scalars()
            return [DurableEvent.model_validate_json(doc) for doc in docs]

    def last_sequence(self, tenant: str, portrait_id: str) -> int:
        """See the port."""
        with self._engine.begin() as connection:
            return _last_sequence(connection, tenant, portrait_id)


def _is(tenant: str, portrait_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(portraits.c.tenant == tenant, portraits.c.id == portrait_id)


def _of(tenant: str, portrait_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(events.c.tenant == tenant, events.c.portrait_id == portrait_id)


def _read(connection: sa.Connection, tenant: str, portrait_id: str, lock: bool = False) -> Portrait | None:
    query = sa.select(portraits.c.doc).where(_is(tenant, portrait_id))
    doc = connection.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    return None if doc is None else Portrait.model_validate_json(doc)


def _count_active(connection: sa.Connection, tenant: str) -> int:
    query = sa.select(sa.func.count()).select_from(portraits)
    return int(
        connection.execute(query.where(portraits.c.tenant == tenant, portraits.c.is_active)).scalar_one()
    )


def _last_sequence(connection: sa.Connection, tenant: str, portrait_id: str) -> int:
    query = sa.select(sa.func.max(events.c.sequence)).where(_of(tenant, portrait_id))
    return int(connection.execute(query).scalar_one() or 0)


def _append(connection: sa.Connection, portrait: Portrait, news: CandidateNews | None) -> None:
    sequence = _last_sequence(connection, portrait.tenant, portrait.id) + 1
    key = f"portrait {sequence}" if news is None else f"{news.stage} {news.candidate.candidate_id}"
    same = sa.and_(_of(portrait.tenant, portrait.id), events.c.key == key)
    if connection.execute(sa.select(events.c.sequence).where(same)).first() is not None:
        return
    event = DurableEvent(sequence=sequence, time=utc_now(), candidate=news)
    connection.execute(
        events.insert().values(
            tenant=portrait.tenant,
            portrait_id=portrait.id,
            sequence=sequence,
            key=key,
            doc=event.model_dump_json(),
        )
    )
