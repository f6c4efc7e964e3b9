"""Ports of the records: identities, portraits with their events, and the request ids that made them.

Every query names the tenant; a record of another tenant does not exist. Synchronous: call them in a thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.orchestrator.domain.events import CandidateNews, DurableEvent
from services.orchestrator.domain.identity import Identity
from services.orchestrator.domain.portrait import Portrait


@dataclass(frozen=True)
class RequestKey:
    """An idempotency key: the request id of a tenant for one kind of resource, and a digest of the body."""

    kind: str
    request_id: str
    fingerprint: str


class IdentityStore(Protocol):
    """Keeps identities."""

    def add_identity(self, identity: Identity, key: RequestKey | None) -> Identity:
        """Add an identity, or return the one that the same request made before.

        Raises:
            RequestIdReused: The request id came with another body before.
        """

    def find_identity_request(self, tenant: str, key: RequestKey | None) -> Identity | None:
        """Return the identity that the same request made before, or None.

        Raises:
            RequestIdReused: The request id came with another body before.
        """

    def find_identity(self, tenant: str, identity_id: str) -> Identity | None:
        """Return an identity, or None."""

    def update_identity(
        self, tenant: str, identity_id: str, change: Callable[[Identity], Identity]
    ) -> Identity | None:
        """Apply a change in one transaction; None where there is no such identity."""

    def list_identities(self, tenant: str, limit: int, after: str) -> tuple[list[Identity], str]:
        """Return a page, the newest first, and the token of the next one ("" at the end).

        Raises:
            PageTokenInvalid: ``after`` is no token of this listing.
        """

    def delete_identity(self, tenant: str, identity_id: str) -> bool:
        """Delete the record with its request ids; say whether it was there."""


class PortraitStore(Protocol):
    """Keeps portraits and their durable events."""

    def add_portrait(
        self, portrait: Portrait, key: RequestKey | None, max_active: int
    ) -> tuple[Portrait, bool]:
        """Add a portrait; return it and whether it is new, or the one that the same request made before.

        Raises:
            RequestIdReused: The request id came with another body before.
            QueueFull: The tenant has ``max_active`` portraits that have not ended.
        """

    def find_portrait(self, tenant: str, portrait_id: str) -> Portrait | None:
        """Return a portrait, or None."""

    def update_portrait(
        self,
        tenant: str,
        portrait_id: str,
        change: Callable[[Portrait], Portrait],
        *,
        news: Sequence[CandidateNews] = (),
        announce: bool = True,
    ) -> Portrait | None:
        """Apply a change and append its events in one transaction.

        News of a candidate from a stage is kept once, however often the stage runs. ``announce`` adds an
        event that says that the portrait changed. A portrait that has ended is left as it is.
        """

    def list_portraits(
        self, tenant: str, limit: int, after: str, identity: str = ""
    ) -> tuple[list[Portrait], str]:
        """Return a page, the newest first, and the token of the next one ("" at the end)."""

    def active_portraits(self) -> list[tuple[str, str]]:
        """Return (tenant, id) of all portraits that have not ended, of all tenants: for recovery only."""

    def delete_portrait(self, tenant: str, portrait_id: str) -> bool:
        """Delete the record with its events and request ids; say whether it was there."""

    def request_cancel(self, tenant: str, portrait_id: str) -> bool:
        """Note that a portrait is to be cancelled; False where there is none."""

    def is_cancel_requested(self, tenant: str, portrait_id: str) -> bool:
        """Return True where it is to be cancelled, or is gone."""

    def events_after(self, tenant: str, portrait_id: str, sequence: int) -> list[DurableEvent]:
        """Return the durable events with a higher sequence, in order."""

    def last_sequence(self, tenant: str, portrait_id: str) -> int:
        """Return the sequence of the last durable event, 0 where there is none."""


class LinkStore(Protocol):
    """Keeps which blobs are kept for whom."""

    def link(self, tenant: str, uri: str, owner: str) -> None:
        """Note that an owner keeps a blob. Idempotent."""

    def owners(self) -> list[tuple[str, str]]:
        """Return (tenant, owner) of all links, of all tenants: for the sweep at the start only."""

    def unlink_owner(self, tenant: str, owner: str) -> list[str]:
        """Forget all links of an owner; return the blobs that nobody keeps any more."""


class RateStore(Protocol):
    """Keeps measured rates of stages, for estimates of the time left."""

    def rate(self, stage: str) -> float | None:
        """Return seconds per unit of work of a stage, or None where it was never measured."""

    def record_rate(self, stage: str, seconds_per_unit: float) -> None:
        """Fold a measurement into the running mean."""


class Store(IdentityStore, PortraitStore, LinkStore, RateStore, Protocol):
    """All of them, in one database."""
