"""The port `WorkflowEngine` over DBOS: step results in SQLite or PostgreSQL, recovery at launch.

DBOS is one per process, so there can be one running engine per process.
"""

import asyncio
import contextvars
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from dbos import error as dbos_error

from services.orchestrator.domain.engine_port import Json, PortraitWork

# Raised when the order or the meaning of the steps changes. Recovery skips workflows of another version: DBOS
# would otherwise hash the code, and every release would strand the portraits that are at work.
WORKFLOW_VERSION = "1"
_MAX_THREADS = 32


class DbosEngine:
    """Runs portraits as DBOS workflows on the event loop that calls `start`."""

    def __init__(self, work: PortraitWork, database_url: str, executor_id: str = "local") -> None:
        """``executor_id`` names this replica; a restarted one recovers what the same name left."""
        self._work = work
        self._url = database_url
        self._executor_id = executor_id
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_stopping = False

        @DBOS.workflow(name="portrait")
        async def portrait(tenant: str, portrait_id: str) -> None:
            await self._execute(tenant, portrait_id)

        self._workflow = portrait

    async def start(self) -> None:
        """See the port."""
        await asyncio.to_thread(_prepare_sqlite, self._url)
        config: DBOSConfig = {
            "name": "likeness-orchestrator",
            "system_database_url": self._url,
            "application_version": WORKFLOW_VERSION,
            "executor_id": self._executor_id,
            "log_level": "WARNING",
            # Its default is pickle; step results here are plain JSON.
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": _MAX_THREADS,
            "enable_otlp": False,
        }
        DBOS(config=config)
        # On the loop's own thread: DBOS runs recovered workflows on the loop that launches it.
        DBOS.launch()

    async def submit(self, tenant: str, portrait_id: str) -> None:
        """See the port."""

        async def start() -> None:
            with SetWorkflowID(portrait_id):
                await DBOS.start_workflow_async(self._workflow, tenant, portrait_id)

        if await DBOS.get_workflow_status_async(portrait_id) is None:
            # An empty context: the work must not inherit the deadline of the call that asked for it.
            await contextvars.Context().run(asyncio.create_task, start())

    async def forget(self, portrait_id: str) -> None:
        """See the port."""
        if await DBOS.get_workflow_status_async(portrait_id) is not None:
            await DBOS.delete_workflow_async(portrait_id)

    async def stop(self) -> None:
        """See the port."""
        self._is_stopping = True
        for task in self._tasks:
            # DBOS records nothing for a cancelled task, so the next start goes on from the last finished
            # step.
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        DBOS.destroy()
        # DBOS made its own pool the loop's default and has shut it down; what still runs here needs one.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))

    async def _execute(self, tenant: str, portrait_id: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._is_stopping:
            raise asyncio.CancelledError()
        self._tasks.add(task)
        try:
            await self._work.run(tenant, portrait_id, _run_step)
        except dbos_error.DBOSException:
            # Its own signals, such as that another replica has taken the workflow over.
            raise
        except Exception:
            await self._work.give_up(tenant, portrait_id)
        finally:
            self._tasks.discard(task)


async def _run_step(name: str, work: Callable[[], Awaitable[Json]]) -> Json:
    async def step() -> Json:
        return await work()

    return await DBOS.run_step_async({"name": name}, step)


def _prepare_sqlite(url: str) -> None:
    """Give the workflow database a write-ahead log, which makes steps cheaper; the file keeps it."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(parsed.database)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
