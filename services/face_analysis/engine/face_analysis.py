"""The use cases: analyse, compare, curate. Knows neither protobuf nor gRPC."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from services.face_analysis.domain.backend import BackendInfo, ModelFile
from services.face_analysis.domain.curation import curate
from services.face_analysis.domain.faces import Face, cosine_similarity
from services.face_analysis.domain.findings import FaceFeature
from services.face_analysis.domain.photos import AnalyzedPhoto, ImageAnalysis, Photo
from services.face_analysis.domain.rules import CurationRules, main_face
from services.face_analysis.domain.verdicts import CurationReport
from services.face_analysis.engine.analyzer import FaceAnalyzer
from services.face_analysis.engine.ordered import map_ordered
from services.face_analysis.engine.pool import AnalyzerPool
from shared.artifacts import ArtifactStore, UnknownArtifact
from shared.cancellation import CancellationToken
from shared.errors import LikenessError
from shared.errors.common import CapabilityUnavailable
from shared.images import (
    ImageFormatUnsupported,
    ImageTooLarge,
    ImageTruncated,
    ImageUnreadable,
    decode_image,
)

K = TypeVar("K")

# What makes one photo unusable without saying anything about the others.
_REFUSALS = (ImageUnreadable, ImageTruncated, ImageTooLarge, ImageFormatUnsupported, UnknownArtifact)


@dataclass(frozen=True)
class Caller:
    """Who asks and whether the answer is still wanted."""

    tenant: str
    token: CancellationToken


class FaceAnalysis:
    """The service's use cases. All methods raise Cancelled when the caller's token is cancelled."""

    def __init__(
        self,
        pool: AnalyzerPool,
        store: ArtifactStore,
        rules: CurationRules,
        optional_models: Sequence[ModelFile] = (),
    ) -> None:
        self._pool = pool
        self._store = store
        self._rules = rules
        self.optional_models = tuple(optional_models)

    @property
    def info(self) -> BackendInfo:
        """The backend's constants. Raises NotWarm before the pool is warm."""
        return self._pool.info

    @property
    def features(self) -> frozenset[FaceFeature]:
        """What a photo can ask for."""
        return self._pool.features

    async def analyze(self, photos: Sequence[Photo], caller: Caller) -> list[AnalyzedPhoto]:
        """One result per photo, in order. Raises QueueFull, CapabilityUnavailable."""
        with self._pool.admission(len(photos)):
            keyed = self._map(_each(photos), caller)
            return [result async for _, result in keyed]

    async def analyze_stream(
        self, photos: AsyncIterable[tuple[K, Photo]], caller: Caller
    ) -> AsyncGenerator[tuple[K, AnalyzedPhoto], None]:
        """Results with the keys of their photos, in order, as they come. Slow readers slow the source.

        Raises CapabilityUnavailable at a photo that asks for what this server cannot do.
        """
        with self._pool.admission(1):
            async for result in self._map(photos, caller):
                yield result

    async def compare(self, first: Photo, second: Photo, caller: Caller) -> float:
        """Cosine of the faces of two photos.

        Raises NoFaceFound, SeveralFaces, or what made a photo unreadable.
        """
        results = await self.analyze([first, second], caller)
        faces = [self._single_face(result) for result in results]
        return cosine_similarity(faces[0].embedding, faces[1].embedding)

    async def curate_photos(
        self, photos: Sequence[Photo], caller: Caller, min_size_px: float | None = None
    ) -> CurationReport:
        """Judge a set; see `domain.curation.curate`. Raises QueueFull."""
        rules = self._rules if min_size_px is None else replace(self._rules, min_size_px=min_size_px)
        return curate(await self.analyze(photos, caller), self.info, rules)

    def _single_face(self, photo: AnalyzedPhoto) -> Face:
        if isinstance(photo.outcome, LikenessError):
            raise photo.outcome
        return main_face(photo.outcome, photo.name, self.info, self._rules.min_area_ratio)

    def _map(
        self, photos: AsyncIterable[tuple[K, Photo]], caller: Caller
    ) -> AsyncIterator[tuple[K, AnalyzedPhoto]]:
        async def work(item: tuple[K, Photo]) -> tuple[K, AnalyzedPhoto]:
            key, photo = item
            self._require(photo.features)
            analyzed = await self._pool.run(
                lambda analyzer: self._analyze_one(analyzer, photo, caller), caller.token
            )
            return key, analyzed

        # One image waits decoded or encoded beside each that is being analysed: enough to keep workers busy.
        return map_ordered(photos, work, window=2 * self._pool.workers)

    def _analyze_one(self, analyzer: FaceAnalyzer, photo: Photo, caller: Caller) -> AnalyzedPhoto:
        digest = ""
        try:
            data = self._bytes_of(photo, caller.tenant)
            digest = hashlib.sha256(data).hexdigest()
            rgb = decode_image(data, name=photo.name)
        except _REFUSALS as refusal:
            return AnalyzedPhoto(photo.name, digest, refusal)
        outcome: ImageAnalysis = analyzer.analyze_image(rgb, caller.token, photo.features)
        return AnalyzedPhoto(photo.name, digest, outcome)

    def _require(self, features: frozenset[FaceFeature]) -> None:
        """Refuse what no net is installed for, with the file that lacks and the command that gets it."""
        for feature in sorted(features - self._pool.features, key=lambda one: one.value):
            remedy = next((m.remedy for m in self.optional_models if m.name == feature.value), "")
            raise CapabilityUnavailable(
                capability=f"the feature {feature.name}: {feature.value}.onnx is not installed",
                needed=remedy or f"install {feature.value}.onnx",
            )

    def _bytes_of(self, photo: Photo, tenant: str) -> bytes:
        if photo.data is not None:
            return photo.data
        # An address ends with the digest of what lies there.
        if not photo.artifact_uri.endswith(photo.artifact_sha256):
            raise UnknownArtifact(artifact=photo.artifact_uri)
        return self._store.get(photo.artifact_uri, tenant=tenant)


async def _each(photos: Sequence[Photo]) -> AsyncIterator[tuple[int, Photo]]:
    for index, photo in enumerate(photos):
        yield index, photo
