"""Use cases of portraits: create, get, list, cancel, delete."""

import asyncio
import time
import uuid

from services.orchestrator.domain.base import utc_now
from services.orchestrator.domain.engine_port import WorkflowEngine
from services.orchestrator.domain.finishing import resolve
from services.orchestrator.domain.portrait import (
    CANDIDATES_PER_PORTRAIT,
    DEFAULT_PORTRAIT_COUNT,
    DEFAULT_SIZE_PX,
    DEFAULT_STYLE,
    MAX_CANDIDATES,
    Portrait,
    PortraitSpec,
)
from services.orchestrator.domain.stores import RequestKey
from services.orchestrator.engine.tools import Tools
from services.orchestrator.errors import UnknownIdentity, UnknownPortrait, ValueOutOfRange
from shared.emphasis import RANGE, WeightOutOfRange, parse

# A stage stops within one step of the UNet or of training; this is far beyond.
_STOP_WAIT_S = 30.0
_CANCEL_WAIT_S = 5.0


class PortraitDesk:
    """Creates, cancels and deletes portraits."""

    def __init__(self, tools: Tools, engine: WorkflowEngine) -> None:
        self._tools = tools
        self._engine = engine

    async def create(self, tenant: str, spec: PortraitSpec, key: RequestKey | None) -> Portrait:
        """Keep a portrait and start its workflow; return at once.

        Raises:
            UnknownStyle, UnknownIdentity: The spec names what is not there.
            ValueOutOfRange: Fewer candidates than portraits, or a word weighted beyond what diffusion takes.
            RequestIdReused: The request id came with another body before.
            QueueFull: The tenant has too many portraits that have not ended.
        """
        spec = with_defaults(spec)
        check_weights(spec)
        style = self._tools.styles.get(spec.style).style
        spec = spec.model_copy(update={"finishing": resolve(style, spec.finishing)})
        if (
            await asyncio.to_thread(self._tools.store.find_identity, tenant, spec.identity.split("/")[-1])
            is None
        ):
            raise UnknownIdentity(identity=spec.identity)
        portrait = Portrait(id=uuid.uuid4().hex, tenant=tenant, spec=spec, create_time=utc_now())
        limit = self._tools.limits.max_active_portraits
        portrait, _ = await asyncio.to_thread(self._tools.store.add_portrait, portrait, key, limit)
        if not portrait.state.is_terminal:
            # Also for a repeated request: the first one may have died between keeping and starting.
            await self._engine.submit(tenant, portrait.id)
        return portrait

    async def resume_all(self) -> None:
        """Start the workflows of portraits that were kept but not started before a crash."""
        for tenant, portrait_id in await asyncio.to_thread(self._tools.store.active_portraits):
            await self._engine.submit(tenant, portrait_id)

    async def get(self, tenant: str, name: str) -> Portrait:
        """Return a portrait as of now. Raises UnknownPortrait."""
        portrait = await asyncio.to_thread(self._tools.store.find_portrait, tenant, name.split("/")[-1])
        if portrait is None:
            raise UnknownPortrait(portrait=name)
        return self.up_to_date(portrait)

    def up_to_date(self, portrait: Portrait) -> Portrait:
        """Return the portrait with the latest estimate, which is not kept in the store."""
        estimate = self._tools.hub.estimate((portrait.tenant, portrait.id))
        if estimate is None or portrait.state.is_terminal:
            return portrait
        return portrait.model_copy(
            update={
                "progress": max(portrait.progress, estimate.progress),
                "remaining_s": estimate.remaining_s,
            }
        )

    async def list_page(
        self, tenant: str, page_size: int, page_token: str, identity: str = ""
    ) -> tuple[list[Portrait], str]:
        """Return a page, the newest first, and the next page's token. Raises PageTokenInvalid."""
        found, token = await asyncio.to_thread(
            self._tools.store.list_portraits, tenant, page_size, page_token, identity
        )
        return [self.up_to_date(portrait) for portrait in found], token

    async def cancel(self, tenant: str, name: str) -> Portrait:
        """Cancel a portrait and wait a moment for it to stop; no effect on one that has ended.

        Raises:
            UnknownPortrait: The tenant has no such portrait.
        """
        portrait = await self.get(tenant, name)
        if not portrait.state.is_terminal:
            await asyncio.to_thread(self._tools.store.request_cancel, tenant, portrait.id)
            self._tools.cancels.trip((tenant, portrait.id))
            await self._wait_for_end(portrait, _CANCEL_WAIT_S)
        return await self.get(tenant, name)

    async def delete(self, tenant: str, name: str) -> int:
        """Cancel a portrait, then delete it with its images; return the number of artifacts deleted.

        Raises:
            UnknownPortrait: The tenant has no such portrait.
        """
        portrait = await self.cancel(tenant, name)
        await self._wait_for_end(portrait, _STOP_WAIT_S)
        await asyncio.to_thread(self._tools.store.delete_portrait, tenant, portrait.id)
        artifact_count = await self._tools.artifacts.release(tenant=tenant, owner=portrait.owner)
        await self._engine.forget(portrait.id)
        self._tools.hub.wake((tenant, portrait.id))
        return artifact_count

    async def _wait_for_end(self, portrait: Portrait, timeout_s: float) -> None:
        key = (portrait.tenant, portrait.id)
        until_s = time.monotonic() + timeout_s
        with self._tools.hub.subscribe(key) as subscription:
            while (left_s := until_s - time.monotonic()) > 0:
                now = await asyncio.to_thread(self._tools.store.find_portrait, *key)
                if now is None or now.state.is_terminal or subscription.is_drained:
                    return
                await subscription.wait(min(left_s, 0.5))


def check_weights(spec: PortraitSpec) -> None:
    """Refuse weights of words that no prompt may have, before anything is kept.

    Raises:
        ValueOutOfRange: Naming the field.
    """
    for field in ("prompt", "negative_prompt"):
        try:
            parse(getattr(spec, field))
        except WeightOutOfRange as error:
            value = f"weighting a word by {error.weight:g}"
            raise ValueOutOfRange(field=f"spec.{field}", value=value, range=RANGE) from error


def with_defaults(spec: PortraitSpec) -> PortraitSpec:
    """Return the spec with defaults in place of zero and empty.

    Raises:
        ValueOutOfRange: Fewer candidates than portraits.
    """
    count = spec.portrait_count or DEFAULT_PORTRAIT_COUNT
    candidates = spec.candidate_count or min(CANDIDATES_PER_PORTRAIT * count, MAX_CANDIDATES)
    if candidates < count:
        raise ValueOutOfRange(
            field="spec.candidate_count", value=candidates, range=f"[{count}, {MAX_CANDIDATES}]"
        )
    return spec.model_copy(
        update={
            "style": spec.style or DEFAULT_STYLE,
            "portrait_count": count,
            "candidate_count": candidates,
            "size_px": spec.size_px or DEFAULT_SIZE_PX,
        }
    )
