"""The fusion engine: the use cases over the chosen adapters, each run in a worker thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from services.fusion.domain.face import FloatArray, Image
from services.fusion.domain.fusing import FuseOptions
from services.fusion.domain.ports import Enhancer, FaceSwapper, MarkFinder, MarkPainter, PictureInspector
from services.fusion.domain.ranking import RankOptions, Verdict
from services.fusion.engine.fuse import Fused, fuse
from services.fusion.engine.ranking import RankInput, gate_for, rank_candidates
from services.fusion.engine.requests import FacedPicture
from services.fusion.engine.restore import Restored, restore_marks
from shared.cancellation import CancellationToken
from shared.errors.common import CapabilityUnavailable
from shared.telemetry import stage
from shared.workers import Workers


@dataclass(frozen=True, slots=True)
class Ports:
    """One implementation of each port."""

    swapper: FaceSwapper
    finder: MarkFinder
    painter: MarkPainter
    enhancer: Enhancer
    inspector: PictureInspector


class RankDefaults(TypedDict):
    """What a ranking takes where the request is silent."""

    min_face_px: float
    duplicate_similarity: float


class FusionEngine:
    """Runs the use cases.

    Args:
        ports: the adapters.
        workers: where image work runs; closed by `close`.
        gates: calibrated identity gate by embedder.
        rank_defaults: of a ranking.
    """

    def __init__(
        self, ports: Ports, workers: Workers, *, gates: Mapping[str, float], rank_defaults: RankDefaults
    ) -> None:
        self._ports = ports
        self._workers = workers
        self._gates = dict(gates)
        self.rank_defaults = rank_defaults

    async def fuse(
        self,
        candidate: FacedPicture,
        templates: Sequence[FacedPicture],
        options: FuseOptions,
        token: CancellationToken,
    ) -> Fused:
        """See `services.fusion.engine.fuse.fuse`."""
        least = self.rank_defaults["min_face_px"]

        def work() -> Fused:
            with stage("fusion", "fuse"):
                return fuse(self._ports.swapper, candidate, templates, options, min_face_px=least)

        return await self._workers.run(work, token)

    async def restore_marks(
        self, candidate: FacedPicture, references: Sequence[FacedPicture], token: CancellationToken
    ) -> Restored:
        """See `services.fusion.engine.restore.restore_marks`."""
        ports, least = self._ports, self.rank_defaults["min_face_px"]

        def work() -> Restored:
            with stage("fusion", "restore_marks"):
                return restore_marks(ports.finder, ports.painter, candidate, references, min_face_px=least)

        return await self._workers.run(work, token)

    async def enhance(self, image: Image, *, scale: int, strength: float, token: CancellationToken) -> Image:
        """*image* enlarged *scale* times, cleaned and sharpened by *strength*.

        Raises:
            CapabilityUnavailable: the installed enhancer cannot enlarge by *scale*.
        """
        enhancer = self._ports.enhancer
        if scale not in enhancer.scales:
            known = ", ".join(map(str, enhancer.scales))
            needed = f"an enhancer for it; the installed one does {known}"
            raise CapabilityUnavailable(capability=f"enhance at scale {scale}", needed=needed)

        def work() -> Image:
            with stage("fusion", "enhance"):
                return enhancer.enhance(image, scale=scale, strength=strength)

        return await self._workers.run(work, token)

    def gate_for(self, embedder: str, requested: float | None) -> float:
        """See `services.fusion.engine.ranking.gate_for`."""
        return gate_for(embedder, self._gates, requested)

    async def rank(
        self,
        candidates: Sequence[RankInput],
        references: Sequence[FloatArray],
        options: RankOptions,
        token: CancellationToken,
    ) -> list[Verdict]:
        """See `services.fusion.engine.ranking.rank_candidates`."""

        def work() -> list[Verdict]:
            with stage("fusion", "rank"):
                return rank_candidates(self._ports.inspector, candidates, references, options)

        return await self._workers.run(work, token)

    def close(self) -> None:
        """Finish the running work; nothing can be asked for afterwards."""
        self._workers.close()
