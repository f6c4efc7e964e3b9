"""The tables, and how a database is opened: SQLite on one machine, PostgreSQL for replicas."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("doc", sa.Text, nullable=False),
    sa.Index("identities_by_age", "tenant", "created", "id"),
)

portraits = sa.Table(
    "portraits",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("identity", sa.String(200), nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("is_cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("doc", sa.Text, nullable=False),
    sa.Index("portraits_by_age", "tenant", "created", "id"),
    sa.Index("portraits_active", "is_active", "tenant"),
)

events = sa.Table(
    "portrait_events",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("portrait_id", sa.String(64), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    # A stage that runs again after a crash must not repeat its news: one row per key.
    sa.Column("key", sa.String(128), nullable=False),
    sa.Column("doc", sa.Text, nullable=False),
    sa.UniqueConstraint("tenant", "portrait_id", "key"),
)

requests = sa.Table(
    "request_ids",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("request_id", sa.String(64), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("resource_id", sa.String(64), nullable=False),
)

links = sa.Table(
    "artifact_links",
    metadata,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("uri", sa.String(512), primary_key=True),
    sa.Column("owner", sa.String(128), primary_key=True),
    sa.Index("links_by_owner", "tenant", "owner"),
)

rates = sa.Table(
    "stage_rates",
    metadata,
    sa.Column("stage", sa.String(32), primary_key=True),
    sa.Column("seconds_per_unit", sa.Float, nullable=False),
)


def open_database(url: str) -> sa.Engine:
    """Open the database at a SQLAlchemy URL and create the tables that are missing.

    SQLite gets a write-ahead log, and transactions that take the write lock at once: a transaction that reads
    before it writes would otherwise fail when another one wrote in between.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = sa.create_engine(parsed, pool_pre_ping=True)
    else:
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, connect_args={"timeout": 30})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_immediately)
    metadata.create_all(engine)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event opens the transactions, not the driver.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    # Without it a deleted row's bytes, embeddings included, stay in the file until their page is used again.
    connection.execute("PRAGMA secure_delete=ON")


def wipe_log(engine: sa.Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds the pages of what was deleted; a no-op elsewhere."""
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _begin_immediately(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
