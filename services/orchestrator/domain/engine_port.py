"""Port of the workflow engine: starts durable work and brings it back after a crash."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Json = dict[str, Any]
# Does a named piece of work once and remembers its JSON result for the next run of the same workflow.
RunStep = Callable[[str, Callable[[], Awaitable[Json]]], Awaitable[Json]]


class PortraitWork(Protocol):
    """What the engine runs."""

    async def run(self, tenant: str, portrait_id: str, run_step: RunStep) -> None:
        """Work on a portrait until it has ended."""

    async def give_up(self, tenant: str, portrait_id: str) -> None:
        """End a portrait whose run raised; called while the exception is handled."""


class WorkflowEngine(Protocol):
    """Runs one workflow per portrait, named by the portrait's id."""

    async def start(self) -> None:
        """Begin, and go on with what an earlier process left unfinished."""

    async def submit(self, tenant: str, portrait_id: str) -> None:
        """Start the workflow of a portrait. Idempotent; returns before the work is done."""

    async def forget(self, portrait_id: str) -> None:
        """Delete what is kept of a workflow that has ended."""

    async def stop(self) -> None:
        """Stop working; unfinished workflows go on at the next start, from their last finished step."""
