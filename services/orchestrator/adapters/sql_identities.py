"""Identities, blob links and stage rates in SQL."""

from collections.abc import Callable

import sqlalchemy as sa

from services.orchestrator.adapters.sql_requests import find_request, forget_requests, page, record_request
from services.orchestrator.adapters.tables import identities, links, rates, wipe_log
from services.orchestrator.domain.identity import Identity
from services.orchestrator.domain.stores import RequestKey

# Weight of a new measurement in the running mean of a rate.
_RATE_WEIGHT = 0.4


class SqlIdentities:
    """`IdentityStore` over SQLAlchemy."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add_identity(self, identity: Identity, key: RequestKey | None) -> Identity:
        """See the port."""
        with self._engine.begin() as connection:
            if (known := find_request(connection, identity.tenant, key)) is not None:
                found = _read(connection, identity.tenant, known)
                return found if found is not None else identity
            record_request(connection, identity.tenant, key, identity.id)
            connection.execute(
                identities.insert().values(
                    tenant=identity.tenant,
                    id=identity.id,
                    created=identity.create_time.isoformat(),
                    doc=identity.model_dump_json(),
                )
            )
            return identity

    def find_identity_request(self, tenant: str, key: RequestKey | None) -> Identity | None:
        """See the port."""
        with self._engine.begin() as connection:
            known = find_request(connection, tenant, key)
            return None if known is None else _read(connection, tenant, known)

    def find_identity(self, tenant: str, identity_id: str) -> Identity | None:
        """See the port."""
        with self._engine.begin() as connection:
            return _read(connection, tenant, identity_id)

    def update_identity(
        self, tenant: str, identity_id: str, change: Callable[[Identity], Identity]
    ) -> Identity | None:
        """See the port."""
        with self._engine.begin() as connection:
            identity = _read(connection, tenant, identity_id, lock=True)
            if identity is None:
                return None
            identity = change(identity)
            connection.execute(
                identities.update()
                .where(identities.c.tenant == tenant, identities.c.id == identity_id)
                .values(doc=identity.model_dump_json())
            )
            return identity

    def list_identities(self, tenant: str, limit: int, after: str) -> tuple[list[Identity], str]:
        """See the port."""
        query = sa.select(identities).where(identities.c.tenant == tenant)
        with self._engine.begin() as connection:
            docs, token = page(connection, identities, query, f"identities {tenant}", limit, after)
        return [Identity.model_validate_json(doc) for doc in docs], token

    def delete_identity(self, tenant: str, identity_id: str) -> bool:
        """See the port."""
        with self._engine.begin() as connection:
            forget_requests(connection, tenant, "identity", identity_id)
            result = connection.execute(
                identities.delete().where(identities.c.tenant == tenant, identities.c.id == identity_id)
            )
        wipe_log(self._engine)
        return result.rowcount > 0


def _read(connection: sa.Connection, tenant: str, identity_id: str, lock: bool = False) -> Identity | None:
    query = sa.select(identities.c.doc).where(identities.c.tenant == tenant, identities.c.id == identity_id)
    doc = connection.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    return None if doc is None else Identity.model_validate_json(doc)


class SqlLinks:
    """`LinkStore` over SQLAlchemy."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def link(self, tenant: str, uri: str, owner: str) -> None:
        """See the port."""
        same = (links.c.tenant == tenant) & (links.c.uri == uri) & (links.c.owner == owner)
        with self._engine.begin() as connection:
            if connection.execute(sa.select(links.c.uri).where(same)).first() is None:
                connection.execute(links.insert().values(tenant=tenant, uri=uri, owner=owner))

    def owners(self) -> list[tuple[str, str]]:
        """See the port."""
        query = sa.select(links.c.tenant, links.c.owner).distinct()
        with self._engine.begin() as connection:
            return [(row.tenant, row.owner) for row in connection.execute(query)]

    def unlink_owner(self, tenant: str, owner: str) -> list[str]:
        """See the port."""
        own = (links.c.tenant == tenant) & (links.c.owner == owner)
        with self._engine.begin() as connection:
            uris = set(connection.execute(sa.select(links.c.uri).where(own)).scalars())
            connection.execute(links.delete().where(own))
            kept = sa.select(links.c.uri).where(links.c.tenant == tenant)
            return sorted(uris - set(connection.execute(kept).scalars()))


class SqlRates:
    """`RateStore` over SQLAlchemy."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def rate(self, stage: str) -> float | None:
        """See the port."""
        with self._engine.begin() as connection:
            return connection.execute(
                sa.select(rates.c.seconds_per_unit).where(rates.c.stage == stage)
            ).scalar_one_or_none()

    def record_rate(self, stage: str, seconds_per_unit: float) -> None:
        """See the port."""
        with self._engine.begin() as connection:
            query = sa.select(rates.c.seconds_per_unit).where(rates.c.stage == stage)
            old = connection.execute(query).scalar_one_or_none()
            if old is None:
                connection.execute(rates.insert().values(stage=stage, seconds_per_unit=seconds_per_unit))
                return
            mean = old + _RATE_WEIGHT * (seconds_per_unit - old)
            connection.execute(rates.update().where(rates.c.stage == stage).values(seconds_per_unit=mean))
