"""Pictures of known people, one folder for each, and their embeddings from a face analysis service."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
import numpy.typing as npt
from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc
from PIL import Image

from cli.client import INLINE_LIMIT_BYTES, MESSAGE_LIMIT_BYTES
from shared.images import decode_image, encode_jpeg

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
# The largest face must have this many times the area of the second: the rule of CuratePhotos.
MIN_AREA_RATIO = 4.0
# What a picture over the limit of a message is reduced to; no face detector needs more.
REDUCED_SIDE_PX = 2048


@dataclass(frozen=True)
class Picture:
    """A file and the person it shows, by number in the order of the folders' names."""

    path: Path
    person: int


@dataclass
class Faces:
    """What became of the pictures.

    Attributes:
        model: name of the embedder; "" before the first face.
        persons: who each face shows.
        embeddings: one per face, of norm 1.
        unusable: pictures without a single face, with the reason.
    """

    model: str = ""
    persons: list[int] = field(default_factory=list)
    embeddings: list[npt.NDArray[np.float32]] = field(default_factory=list)
    unusable: dict[Path, str] = field(default_factory=dict)

    def add(self, picture: Picture, result: face_analysis_pb2.AnalyzedImage) -> None:
        """Take in one result.

        Raises:
            ValueError: its embedding is of another model than those before.
        """
        reason = objection(result)
        if reason:
            self.unusable[picture.path] = reason
            return
        face = result.faces[0]
        compared = face.comparison_embedding if face.HasField("comparison_embedding") else face.embedding
        if self.model and compared.model != self.model:
            raise ValueError(f"The server changed its embedder from {self.model} to {compared.model}.")
        self.model = compared.model
        vector = np.array(compared.values, np.float32)
        self.persons.append(picture.person)
        self.embeddings.append(vector / np.linalg.norm(vector))

    def usable(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Unit rows (N, D) and persons (N,) of everybody of whom two pictures can be used."""
        counts = Counter(self.persons)
        kept = [i for i, person in enumerate(self.persons) if counts[person] >= 2]
        rows = np.stack([self.embeddings[i] for i in kept]) if kept else np.zeros((0, 1), np.float32)
        return rows, np.array([self.persons[i] for i in kept], np.int64)


def read_people(folder: Path) -> list[Picture]:
    """All pictures below *folder*: one folder per person, those with at least two pictures.

    Raises:
        FileNotFoundError: *folder* is no folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; it must hold one folder for each person")
    pictures = []
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    for number, person in enumerate(people):
        files = sorted(path for path in person.iterdir() if path.suffix.lower() in SUFFIXES)
        if len(files) >= 2:
            pictures += [Picture(path, number) for path in files]
    return pictures


def embed(
    target: str, tenant: str, pictures: Sequence[Picture], on_each: Callable[[], None] = lambda: None
) -> Faces:
    """Sends the pictures to "HOST:PORT", one after the other, and calls *on_each* after each.

    Raises:
        grpc.RpcError: as the service sent it.
        ValueError: the server changed its embedder.
    """
    faces = Faces()
    options = [("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES)]
    with grpc.insecure_channel(target, options=options) as channel:
        stub = face_analysis_pb2_grpc.FaceAnalysisServiceStub(channel)
        answers = stub.AnalyzeStream(_requests(pictures), metadata=(("x-likeness-tenant", tenant),))
        for answer in answers:
            faces.add(pictures[answer.sequence], answer.image)
            on_each()
    return faces


def _requests(pictures: Sequence[Picture]) -> Iterator[face_analysis_pb2.AnalyzeStreamRequest]:
    for number, picture in enumerate(pictures):
        image = image_pb2.Image(data=file_bytes(picture.path), name=picture.path.name)
        yield face_analysis_pb2.AnalyzeStreamRequest(sequence=number, image=image)


def objection(result: face_analysis_pb2.AnalyzedImage) -> str:
    """Why a picture cannot be used; "" where it shows one person."""
    if result.HasField("refusal"):
        return result.refusal.reason
    if not result.faces:
        return "NO_FACE_FOUND"
    if len(result.faces) > 1 and area(result.faces[0]) < MIN_AREA_RATIO * area(result.faces[1]):
        return "SEVERAL_FACES"
    return ""


def area(face: face_pb2.Face) -> float:
    """Area of a face's box in square pixels."""
    return (face.box.x1 - face.box.x0) * (face.box.y1 - face.box.y0)


def file_bytes(path: Path) -> bytes:
    """A picture as it can be sent: the file itself, or reduced and upright where that is too large."""
    data = path.read_bytes()
    if len(data) <= INLINE_LIMIT_BYTES:
        return data
    picture = Image.fromarray(decode_image(data, name=path.name))
    picture.thumbnail((REDUCED_SIDE_PX, REDUCED_SIDE_PX))
    return encode_jpeg(np.asarray(picture, np.uint8))
