"""The characters: those of whom portraits are made, and the strangers they are compared with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb

from loadtests.common.judge import Floats, unit
from loadtests.common.renders import Photos, drawn, taken
from loadtests.common.services import CALL_TIMEOUT_S, Services
from loadtests.starter.looks import Eye, Look
from loadtests.starter.prompts import who
from loadtests.starter.scale import Scale
from starter.data.manifest import Sample


@dataclass(frozen=True, eq=False)
class Character:
    """One character with all photos of it.

    Attributes:
        number: which one.
        band: sex and age band, words of `LABELS`: strangers are of the same.
        photos: files, in order of the views.
        looks: what was read off them.
        samples: their ground truth; empty where it is not known.
        reference_count: how many of the first ones the services get; the others give the ceiling.
        template: the judge's mean embedding of the references, L2-normalised; None where it saw no face.
    """

    number: int
    band: tuple[str, str]
    photos: tuple[Path, ...]
    looks: tuple[Look, ...]
    reference_count: int
    template: Floats | None
    samples: tuple[Sample, ...] = ()

    @property
    def who(self) -> str:
        """What prompts call it, such as "a young woman"."""
        return who(*self.band)

    @property
    def probes(self) -> tuple[Look, ...]:
        """Looks of the photos that are no references."""
        return self.looks[self.reference_count :]


@dataclass(frozen=True, eq=False)
class Person:
    """A character of whom portraits are made.

    Attributes:
        character: who it is.
        faces: the references' faces as face analysis curated them.
        photos: the references, encoded, in the same order.
        attributes: what the services read off the references, by name.
    """

    character: Character
    faces: tuple[face_pb2.Face, ...]
    photos: tuple[bytes, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Number of the character."""
        return self.character.number

    @property
    def embeddings(self) -> list[image_pb2.Embedding]:
        """What the generator is given."""
        return [face.embedding for face in self.faces]


def photos_of(scale: Scale, workers: int = 1) -> Photos:
    """Returns all characters' photos; draws what is not on disk yet.

    Raises: NoGraphicsError, WorkerFailedError: see starter/heads. FileNotFoundError, ValueError: `scale.data`
    has no manifest, or too few characters that are held out from training.
    """
    if scale.data is None:
        return drawn(scale.work / "data", scale.numbers, scale.view_count, workers)
    needed = taken(scale.data, scale.people, scale.view_count)
    everybody = taken(scale.data, None, scale.view_count)
    strangers = list(everybody)[: max(scale.strangers, scale.people)]
    return needed | {number: everybody[number] for number in strangers}


def characters_of(photos: Photos, eye: Eye, scale: Scale) -> Iterator[Character]:
    """Yields each character with its photos read."""
    for number, samples in photos.items():
        words = samples[0].attributes
        files = [sample.image for sample in samples]
        yield character_of(
            number, (str(words["sex"]), str(words["age"])), files, eye, scale.reference_count, samples
        )


def character_of(
    number: int,
    band: tuple[str, str],
    files: Sequence[Path],
    eye: Eye,
    reference_count: int,
    samples: Sequence[Sample] = (),
) -> Character:
    """Returns a character with its photos read; the first ones are references."""
    looks = eye.look([file.read_bytes() for file in files])
    count = min(reference_count, len(files))
    template = template_of(looks[:count])
    return Character(number, band, tuple(files), tuple(looks), count, template, tuple(samples))


def template_of(looks: Sequence[Look]) -> Floats | None:
    """Returns the normalised mean of the embeddings; None where no picture has one."""
    vectors = [look.vector for look in looks if look.vector is not None]
    return unit(np.mean(vectors, axis=0)) if vectors else None


def person_of(character: Character, services: Services) -> Person | None:
    """Has a character's references curated, as a user's are; None where none of them is fit to use."""
    photos = [file.read_bytes() for file in character.photos[: character.reference_count]]
    request = analysis_pb.CuratePhotosRequest(photos=[image_pb2.Image(data=data) for data in photos])
    curated = services.faces.CuratePhotos(request, timeout=CALL_TIMEOUT_S)
    fit = [place for place, photo in enumerate(curated.photos) if photo.is_accepted]
    if not fit or character.template is None:
        return None
    return Person(
        character,
        tuple(curated.photos[place].face for place in fit),
        tuple(photos[place] for place in fit),
        {item.name: item.value for item in curated.attributes},
    )


def strangers_of(character: Character, everybody: Sequence[Character]) -> list[Floats]:
    """Returns the templates of all others of the same sex and age band."""
    return [
        other.template
        for other in everybody
        if other.number != character.number and other.band == character.band and other.template is not None
    ]
