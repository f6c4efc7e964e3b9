"""Use cases of styles: list and get, each with whether it can be drawn by what is installed now."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.orchestrator.domain.ports import Caller, DiffusionModel
from services.orchestrator.domain.style_needs import shortage
from services.orchestrator.engine.tools import KnownStyle, Tools
from shared.errors import LikenessError

# A gallery is shown at once: a service that is starting or gone leaves a question open, not the page.
_PATIENCE_S = 2.0


@dataclass(frozen=True)
class StyleCard:
    """A style in a gallery. ``shortage`` is what it lacks, "" where nothing, None where it is not known."""

    known: KnownStyle
    shortage: str | None


class Gallery:
    """The styles of this server."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def all(self, caller: Caller) -> list[StyleCard]:
        """Return all styles, group by group."""
        return await self._cards(self._tools.styles.all(), caller)

    async def get(self, name: str, caller: Caller) -> StyleCard:
        """Return "styles/{id}". Raises UnknownStyle."""
        [card] = await self._cards([self._tools.styles.get(name)], caller)
        return card

    async def _cards(self, styles: Sequence[KnownStyle], caller: Caller) -> list[StyleCard]:
        needs_effects = any(known.style.effect is not None for known in styles)
        models, effects = await asyncio.gather(self._models(caller), self._effects(caller, needs_effects))
        return [StyleCard(known, _shortage(known, models, effects)) for known in styles]

    async def _models(self, caller: Caller) -> list[DiffusionModel] | None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._tools.diffusion.models(caller)
        except (LikenessError, TimeoutError):
            return None

    async def _effects(self, caller: Caller, are_needed: bool) -> list[str] | None:
        if not are_needed:
            return []
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._tools.stylization.effects(caller)
        except (LikenessError, TimeoutError):
            return None


def _shortage(
    known: KnownStyle, models: Sequence[DiffusionModel] | None, effects: Collection[str] | None
) -> str | None:
    if models is None:
        return None
    lacking = shortage(known.style, models, effects)
    is_open = known.style.effect is not None and effects is None
    return lacking or (None if is_open else "")
