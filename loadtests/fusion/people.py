"""Characters that nobody trained on, drawn on the spot: references, further photos, ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from likeness.common.v1 import image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb

from loadtests.common.renders import Photos, drawn, taken
from loadtests.common.services import CALL_TIMEOUT_S, Services
from loadtests.fusion.scale import Scale
from starter.data.manifest import Sample

MIN_REFERENCES = 2


@dataclass(frozen=True)
class Person:
    """One character.

    Attributes:
        number: which one, under the evaluation's seed.
        references: photos that the services get.
        probes: further photos, which only the gate is asked about.
    """

    number: int
    references: tuple[Sample, ...]
    probes: tuple[Sample, ...]

    @property
    def name(self) -> str:
        """Name in reports."""
        return str(self.number)


def photos_of(scale: Scale, workers: int = 1) -> Photos:
    """Returns each character's photos in order of their views; draws what is not on disk yet.

    Raises: NoGraphicsError, WorkerFailedError: see starter/heads. FileNotFoundError, ValueError: `scale.data`
    has no manifest, or too few characters that are held out from training.
    """
    if scale.data is not None:
        return taken(scale.data, scale.people, scale.view_count)
    return drawn(scale.work / "data", scale.numbers, scale.view_count, workers)


def choose(photos: Mapping[int, Sequence[Sample]], services: Services, scale: Scale) -> list[Person]:
    """Has each character's photos curated, as a user's are, and takes references and probes from them.

    Raises: ValueError if fewer than half of the characters have enough photos; names those that have not.
    """
    people, poor = [], []
    for number, samples in photos.items():
        images = [image_pb2.Image(data=sample.image.read_bytes()) for sample in samples]
        request = analysis_pb.CuratePhotosRequest(photos=images)
        verdicts = services.faces.CuratePhotos(request, timeout=CALL_TIMEOUT_S).photos
        person = split(number, samples, [verdict.is_accepted for verdict in verdicts], scale)
        if len(person.references) >= MIN_REFERENCES and person.probes:
            people.append(person)
        else:
            poor.append(number)
    if poor:
        print(f"left out, as too few of their photos are fit to use: {poor}", flush=True)
    if len(people) < len(poor):
        raise ValueError(f"{len(poor)} of {len(photos)} characters have too few photos: is a model missing?")
    return people


def split(number: int, samples: Sequence[Sample], accepted: Sequence[bool], scale: Scale) -> Person:
    """Takes the first accepted photos as references, and the others, accepted or not, as probes."""
    fit = [sample for sample, is_accepted in zip(samples, accepted, strict=True) if is_accepted]
    references = tuple(fit[: scale.reference_count])
    # By view: samples hold arrays, which have no single truth when compared.
    taken = {sample.view for sample in references}
    probes = [sample for sample in samples if sample.view not in taken]
    return Person(number, references, tuple(probes[: scale.probe_count]))
