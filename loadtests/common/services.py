"""The services under test, through their public stubs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import grpc
from likeness.common.v1 import face_pb2, image_pb2
from likeness.diffusion.v1 import diffusion_pb2_grpc
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from likeness.face_analysis.v1 import face_analysis_pb2_grpc
from likeness.fusion.v1 import fusion_pb2 as fusion_pb
from likeness.fusion.v1 import fusion_pb2_grpc
from likeness.lora_training.v1 import lora_training_pb2_grpc

CALL_TIMEOUT_S = 600.0
_MESSAGE_LIMIT_BYTES = 32 * 1024 * 1024
_BATCH = 16


@dataclass(frozen=True)
class Services:
    """Stubs of one server at "HOST:PORT", which the orchestrator's own client takes."""

    faces: face_analysis_pb2_grpc.FaceAnalysisServiceStub
    diffusion: diffusion_pb2_grpc.DiffusionServiceStub
    fusion: fusion_pb2_grpc.FusionServiceStub
    target: str = ""
    training: lora_training_pb2_grpc.LoraTrainingServiceStub | None = None


@contextmanager
def open_services(target: str) -> Iterator[Services]:
    """Yields stubs of the server at "HOST:PORT"."""
    options = [
        ("grpc.max_receive_message_length", _MESSAGE_LIMIT_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_LIMIT_BYTES),
    ]
    with grpc.insecure_channel(target, options=options) as channel:
        yield Services(
            face_analysis_pb2_grpc.FaceAnalysisServiceStub(channel),
            diffusion_pb2_grpc.DiffusionServiceStub(channel),
            fusion_pb2_grpc.FusionServiceStub(channel),
            target,
            lora_training_pb2_grpc.LoraTrainingServiceStub(channel),
        )


@dataclass(frozen=True, eq=False)
class Seen:
    """An encoded picture with the faces that face analysis found in it, the largest first."""

    data: bytes
    faces: tuple[face_pb2.Face, ...]

    @property
    def only(self) -> face_pb2.Face | None:
        """The face, if there is exactly one."""
        return self.faces[0] if len(self.faces) == 1 else None

    def faced(self) -> fusion_pb.FacedImage:
        """As the fusion service takes it."""
        return fusion_pb.FacedImage(image=image_pb2.Image(data=self.data), faces=self.faces)


class Reader:
    """Has pictures analysed, each once, with every feature that the server has."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.backend: analysis_pb.GetBackendResponse = services.faces.GetBackend(
            analysis_pb.GetBackendRequest(), timeout=CALL_TIMEOUT_S
        )
        self._known: dict[tuple[bytes, bool], Seen] = {}

    def read(self, pictures: Sequence[bytes], *, marks: bool = False) -> list[Seen]:
        """Returns what is found in each picture; its marks too where they are asked for.

        Raises: ValueError if a picture cannot be read: it was made here, so that is a fault.
        """
        wanted = {self._key(data, marks): data for data in pictures}
        todo = [(key, data) for key, data in wanted.items() if key not in self._known]
        for start in range(0, len(todo), _BATCH):
            part = todo[start : start + _BATCH]
            for (key, data), found in zip(
                part, self._analyse([data for _, data in part], marks), strict=True
            ):
                self._known[key] = Seen(data, tuple(found.faces))
        return [self._known[self._key(data, marks)] for data in pictures]

    def read_one(self, picture: bytes, *, marks: bool = False) -> Seen:
        """Returns what is found in one picture."""
        return self.read([picture], marks=marks)[0]

    def forget(self) -> None:
        """Drops what was read; a run of hours would keep every picture otherwise."""
        self._known.clear()

    def _analyse(self, pictures: Sequence[bytes], marks: bool) -> Sequence[analysis_pb.AnalyzedImage]:
        features = [
            feature for feature in self.backend.features if marks or feature != analysis_pb.FACE_FEATURE_MARKS
        ]
        request = analysis_pb.AnalyzeRequest(
            images=[image_pb2.Image(data=data) for data in pictures], features=features
        )
        images = self._services.faces.Analyze(request, timeout=CALL_TIMEOUT_S).images
        for image in images:
            if image.HasField("refusal"):
                raise ValueError(
                    f"face analysis refuses a picture of the evaluation: {image.refusal.message}"
                )
        return list(images)

    @staticmethod
    def _key(data: bytes, marks: bool) -> tuple[bytes, bool]:
        return sha256(data).digest(), marks
