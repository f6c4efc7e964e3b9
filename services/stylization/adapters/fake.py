"""A deterministic stand-in: fast, no model; for tests, load tests and client teams."""

from __future__ import annotations

from services.stylization.domain import Effect, Image


class FakeTranslator:
    """Draws by reducing each channel to four levels."""

    def __init__(self, name: str = "toon") -> None:
        self._effect = Effect(name, "Four levels a channel; no model.", "Apache-2.0")

    @property
    def effect(self) -> Effect:
        """See `Translator.effect`."""
        return self._effect

    def translate(self, image: Image) -> Image:
        """See `Translator.translate`."""
        return (image // 64) * 64 + 32
