"""The fusion engine: the use cases over the chosen adapters, each run in a worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from services.fusion.domain.face import FloatArray, Image
from services.fusion.domain.fusing import FuseOptions
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.ports import (
    Enhancer,
    FaceSwapper,
    MarkFinder,
    MarkPainter,
    PictureInspector,
    SkinTexture,
)
from services.fusion.domain.ranking import RankOptions, Verdict
from services.fusion.engine.enhance import Enhanced, enhance
from services.fusion.engine.fuse import Fused, fuse
from services.fusion.engine.gating import Gates
from services.fusion.engine.lazy_picture import LazyPicture
from services.fusion.engine.people import Person, claims_of
from services.fusion.engine.ranking import RankInput, rank_candidates
from services.fusion.engine.restore import Restored, restore_marks
from services.fusion.engine.texture import Retextured, restore_texture
from shared.cancellation import CancellationToken
from shared.telemetry import stage
from shared.workers import Workers


@dataclass(frozen=True, slots=True)
class Ports:
    """One implementation of each port."""

    swapper: FaceSwapper
    finder: MarkFinder
    painter: MarkPainter
    texture: SkinTexture
    enhancer: Enhancer
    upscaler: Enhancer
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
        gates: identity gates by embedder.
        rank_defaults: of a ranking.
    """

    def __init__(self, ports: Ports, workers: Workers, *, gates: Gates, rank_defaults: RankDefaults) -> None:
        self._ports = ports
        self._workers = workers
        self.gates = gates
        self.rank_defaults = rank_defaults

    async def fuse(
        self,
        image: Image,
        candidate: FacesOfPicture,
        people: Sequence[Person],
        options: FuseOptions,
        token: CancellationToken,
    ) -> Fused:
        """Choose a template for each of the *people*, read the chosen ones alone, and fuse them into *image*.

        Raises as `claims_of` and `services.fusion.engine.fuse.fuse` do.
        """
        least = self.rank_defaults["min_face_px"]
        claims = await self._workers.run(lambda: claims_of(candidate, people, min_face_px=least), token)
        pictures = await asyncio.gather(*(claim.photo.read() for claim in claims))

        def work() -> Fused:
            with stage("fusion", "fuse"):
                return fuse(self._ports.swapper, image, candidate, claims, pictures, options)

        return await self._workers.run(work, token)

    async def restore_marks(
        self, candidate: LazyPicture, references: Sequence[LazyPicture], token: CancellationToken
    ) -> Restored:
        """See `services.fusion.engine.restore.restore_marks`."""
        ports, least = self._ports, self.rank_defaults["min_face_px"]

        def work() -> Restored:
            with stage("fusion", "restore_marks"):
                return restore_marks(ports.finder, ports.painter, candidate, references, min_face_px=least)

        return await self._workers.run(work, token)

    async def restore_texture(
        self,
        candidate: LazyPicture,
        references: Sequence[LazyPicture],
        strength: float | None,
        token: CancellationToken,
    ) -> Retextured:
        """See `services.fusion.engine.texture.restore_texture`."""
        ports, least = self._ports, self.rank_defaults["min_face_px"]

        def work() -> Retextured:
            with stage("fusion", "restore_texture"):
                return restore_texture(ports.texture, candidate, references, strength, min_face_px=least)

        return await self._workers.run(work, token)

    async def enhance(
        self, image: Image, *, scale: int, strength: float, token: CancellationToken
    ) -> Enhanced:
        """See `services.fusion.engine.enhance.enhance`."""
        ports = self._ports

        def work() -> Enhanced:
            with stage("fusion", "enhance"):
                return enhance(
                    ports.enhancer, ports.upscaler, image, scale=scale, strength=strength, token=token
                )

        return await self._workers.run(work, token)

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
                return rank_candidates(self._ports.inspector, candidates, references, options, token)

        return await self._workers.run(work, token)

    def close(self) -> None:
        """Finish the running work; nothing can be asked for afterwards."""
        self._workers.close()
