"""What face analysis said of the pictures of one portrait, so that none is analysed twice.

Kept in memory for as long as the portrait is at work: after a crash everything is analysed again, and nothing
outlives a deletion.
"""

import hashlib
from collections.abc import Sequence

from services.orchestrator.domain.faces import AnalyzedPicture, Face, FacedPicture, Feature, Picture
from services.orchestrator.domain.ports import AnalysisBackend, Caller, FaceAnalysis

Key = tuple[str, frozenset[Feature]]
# Under this, two boxes are not of one face.
_SAME_FACE_OVERLAP = 0.5


class FaceMemo:
    """Analyses pictures, each once."""

    def __init__(self, face_analysis: FaceAnalysis, caller: Caller) -> None:
        self._face_analysis = face_analysis
        self._caller = caller
        self._backend: AnalysisBackend | None = None
        self._known: dict[Key, AnalyzedPicture] = {}

    async def backend(self) -> AnalysisBackend:
        """Say what is installed; asked once."""
        if self._backend is None:
            self._backend = await self._face_analysis.backend(self._caller)
        return self._backend

    async def missing(self) -> frozenset[Feature]:
        """Return the features that are not installed."""
        return frozenset(Feature) - (await self.backend()).features

    async def candidates(self, pictures: Sequence[Picture]) -> list[AnalyzedPicture]:
        """Analyse generated pictures, with the structure of their faces where it is installed."""
        return await self._analyze(pictures, frozenset({Feature.STRUCTURE}))

    async def references(self, references: Sequence[FacedPicture]) -> list[FacedPicture]:
        """Return references with the structure and the marks of the face that each is of.

        Where it is not found again, or nothing more is installed, a reference stays as it was.
        """
        pictures = [reference.picture for reference in references]
        if not (await self.backend()).features:
            return list(references)
        analyzed = await self._analyze(pictures, frozenset(Feature))
        return [
            FacedPicture(reference.picture, (_same_face(reference.faces[0], result.faces),))
            for reference, result in zip(references, analyzed, strict=True)
        ]

    async def _analyze(
        self, pictures: Sequence[Picture], wanted: frozenset[Feature]
    ) -> list[AnalyzedPicture]:
        features = wanted & (await self.backend()).features
        keys = [(_digest(picture), features) for picture in pictures]
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self._known}
        if new:
            results = await self._face_analysis.analyze(list(new.values()), self._caller, features)
            self._known.update(zip(new, results, strict=True))
        return [self._known[key] for key in keys]


def _digest(picture: Picture) -> str:
    return picture.ref.sha256 if picture.ref is not None else hashlib.sha256(picture.data).hexdigest()


def _same_face(known: Face, found: Sequence[Face]) -> Face:
    best = max(found, key=known.overlap, default=known)
    return best if known.overlap(best) >= _SAME_FACE_OVERLAP else known
