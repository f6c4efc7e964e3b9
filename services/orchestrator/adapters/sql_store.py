"""All records of the orchestrator in one database."""

import sqlalchemy as sa

from services.orchestrator.adapters.sql_identities import SqlIdentities, SqlLinks, SqlRates
from services.orchestrator.adapters.sql_portraits import SqlPortraits


class SqlStore(SqlIdentities, SqlPortraits, SqlLinks, SqlRates):
    """`Store` over SQLAlchemy: SQLite, or PostgreSQL (not run in this repository's tests)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
