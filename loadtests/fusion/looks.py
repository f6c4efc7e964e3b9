"""What a picture is measured at: likeness by an embedder that took no part, likeness by ours, quality."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from likeness.common.v1 import face_pb2

from loadtests.common.judge import Floats, Judge, similarities, unit
from loadtests.common.services import Reader, Seen
from loadtests.fusion.people import Person


@dataclass(frozen=True)
class Look:
    """Measurements of one picture; None where there is not exactly one face.

    Attributes:
        similarity, best: mean and best cosine to the references, by the judge.
        own_best, own_mean: the same by the embedding that the services compare with.
        judged: technical quality by the quality net; None where it is not installed.
        quality: the same, or the overall quality of face analysis where it is not.
    """

    similarity: float | None
    best: float | None = None
    own_best: float | None = None
    own_mean: float | None = None
    judged: float | None = None
    quality: float | None = None

    def as_json(self) -> dict[str, float | None]:
        """Returns it for a result file."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class References:
    """A person's photos with their faces, and the embeddings of those with a single face."""

    photos: tuple[Seen, ...]
    judged: tuple[Floats, ...]
    compared: tuple[Floats, ...]


class Eye:
    """Looks at pictures with face analysis and the judge."""

    def __init__(self, reader: Reader, judge: Judge) -> None:
        self.reader, self.judge = reader, judge

    def references_of(self, person: Person) -> References:
        """Reads a person's photos, marks included. Raises: ValueError if none shows a single face."""
        pictures = [sample.image.read_bytes() for sample in person.references]
        photos = [seen for seen in self.reader.read(pictures, marks=True) if seen.only is not None]
        if not photos:
            raise ValueError(f"no reference of {person.name} shows exactly one face")
        judged = [self.judge.embed(seen) for seen in photos]
        return References(
            tuple(photos),
            tuple(embedding for embedding in judged if embedding is not None),
            tuple(compared(seen.only) for seen in photos if seen.only is not None),
        )

    def look(self, seen: Seen, references: References) -> Look:
        """Measures one picture."""
        return look_of(seen.only, self.judge.embed(seen), references)


def look_of(face: face_pb2.Face | None, embedding: Floats | None, references: References) -> Look:
    """Returns the measurements of a face whose embedding by the judge is known."""
    theirs = similarities(embedding, references.judged)
    if face is None or theirs is None:
        return Look(None)
    ours = similarities(compared(face), references.compared)
    assert ours is not None
    judged = face.quality.judged if face.quality.HasField("judged") else None
    quality = judged if judged is not None else face.quality.overall
    return Look(theirs[0], theirs[1], ours[1], ours[0], judged, quality)


def compared(face: face_pb2.Face) -> Floats:
    """Returns the embedding that faces are compared by, L2-normalised."""
    chosen = face.comparison_embedding if face.HasField("comparison_embedding") else face.embedding
    return unit(np.array(chosen.values))


def known(values: Sequence[float | None]) -> list[float]:
    """Returns the values that were measured."""
    return [value for value in values if value is not None]
