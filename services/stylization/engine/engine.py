"""The stylization engine: the installed effects, run in worker threads."""

from __future__ import annotations

from collections.abc import Sequence

from services.stylization.domain import Effect, Image, Steadiness, Translator, mixed
from services.stylization.errors import UnknownStyle
from shared.cancellation import CancellationToken
from shared.telemetry import stage
from shared.workers import Workers


class StylizationEngine:
    """Draws pictures, and frames of streams.

    Args:
        workers: where drawing runs; closed by `close`.
        frames_ahead: frames of one stream that are in work at a time.
        steadiness: see `Steadiness`; 0 draws each frame by itself.
    """

    def __init__(self, workers: Workers, *, frames_ahead: int = 2, steadiness: float = 0.0) -> None:
        self._translators: dict[str, Translator] = {}
        self._workers = workers
        self._steadiness = steadiness
        self.frames_ahead = frames_ahead

    def install(self, translators: Sequence[Translator]) -> None:
        """Take the effects into use; nothing can be drawn before.

        Args:
            translators: at least one, under different names; the first is the default.
        """
        named = {t.effect.name: t for t in translators}
        if not translators or len(named) != len(translators):
            raise ValueError("effects must be given, under different names")
        self._translators = named

    def effects(self) -> list[Effect]:
        """All effects, the default first."""
        return [t.effect for t in self._translators.values()]

    def resolve(self, effect: str) -> str:
        """The name of *effect*; of the default where it is empty.

        Raises:
            UnknownStyle: it is not installed.
        """
        name = effect or next(iter(self._translators))
        if name not in self._translators:
            raise UnknownStyle(style=name, known=", ".join(self._translators))
        return name

    async def stylize(
        self, image: Image, *, effect: str = "", strength: float = 1.0, token: CancellationToken
    ) -> Image:
        """*image* drawn in *effect*, same size; *strength* in [0, 1], 0 returns the input.

        Raises:
            UnknownStyle: the effect is not installed.
            Cancelled: the token was cancelled before a thread was free.
        """
        translator = self._translators[self.resolve(effect)]
        if strength <= 0:
            return image

        def work() -> Image:
            with stage("stylization", "stylize"):
                return mixed(translator.translate(image), image, strength)

        return await self._workers.run(work, token)

    def new_steadiness(self) -> Steadiness:
        """The memory of one stream."""
        return Steadiness(self._steadiness)

    def close(self) -> None:
        """Finish the running work; nothing can be asked for afterwards."""
        self._workers.close()
