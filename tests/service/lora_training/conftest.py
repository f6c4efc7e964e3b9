"""The service over a real transport; workers are fake unless a test asks for the process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.lora_training.v1 import lora_training_pb2 as pb
from likeness.lora_training.v1 import lora_training_pb2_grpc as pb_grpc

from services.lora_training.adapters.fake import FakeLauncher
from services.lora_training.bootstrap import build_service
from services.lora_training.settings import LoraTrainingSettings
from shared.channels import open_channel
from shared.images import encode_png
from tests.support.tiny_sd import make_tiny_sd


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion folder called "tiny"."""
    return make_tiny_sd(tmp_path_factory.mktemp("models") / "tiny")


@dataclass
class Harness:
    """A running service with what a test looks at."""

    stub: Any
    stub_of: Callable[[str], Any]
    settings: LoraTrainingSettings
    launcher: FakeLauncher
    server: Any

    def job_folders(self) -> list[Path]:
        return sorted(self.settings.state_folder.glob("*/*"))

    def artifacts(self) -> list[Path]:
        return [path for path in Path(self.settings.artifacts_url).glob("*/*") if path.is_file()]


Start = Callable[..., Awaitable[Harness]]


@pytest.fixture
async def start(serve: Any, tiny_model: Path, tmp_path: Path) -> AsyncIterator[Start]:
    """`harness = await start(...)`: settings by keyword; `launcher=None` takes the real worker process."""
    channels: list[grpc.aio.Channel] = []

    async def run(launcher: Any = "fake", **values: Any) -> Harness:
        settings = LoraTrainingSettings(
            models={"tiny": tiny_model},
            state_folder=tmp_path / "state",
            artifacts_url=str(tmp_path / "artifacts"),
            worker_thread_count=1,
            **values,
        )
        fake = FakeLauncher() if launcher == "fake" else launcher
        service = build_service(settings, launcher=fake)
        channel = await serve([service], settings=settings)
        server = serve.servers[-1]

        def stub_of(tenant: str) -> Any:
            channels.append(open_channel(f"127.0.0.1:{server.port}", [service.name], tenant=tenant))
            return pb_grpc.LoraTrainingServiceStub(channels[-1])

        return Harness(pb_grpc.LoraTrainingServiceStub(channel), stub_of, settings, fake, server)

    yield run
    for channel in channels:
        await channel.close()


def photo(seed: int = 0, *, landmarks: bool = True, **fields: Any) -> pb.TrainingPhoto:
    """A noise picture with plausible landmarks."""
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 40, 3), dtype=np.uint8)
    points = {"left_eye": (14, 20), "right_eye": (26, 20), "nose": (20, 26)}
    points |= {"mouth_left": (15, 32), "mouth_right": (25, 32)}
    marks = face_pb2.FaceLandmarks(**{k: image_pb2.Point(x=x, y=y) for k, (x, y) in points.items()})
    message = pb.TrainingPhoto(image=image_pb2.Image(data=encode_png(pixels), name=f"photo {seed}"), **fields)
    if landmarks:
        message.landmarks.CopyFrom(marks)
    return message


def order(**fields: Any) -> pb.CreateTrainingJobRequest:
    """A small order for an identity adapter."""
    options = pb.TrainingOptions(step_count=6, batch_size=2, rank=2, seed=1)
    defaults = {"subject": "identities/ada", "photos": [photo(0), photo(1)], "caption": "a man"}
    return pb.CreateTrainingJobRequest(**{**defaults, "options": options, **fields})


def state(job: pb.TrainingJob) -> str:
    """Name of a job's state."""
    return job_pb2.JobState.Name(job.state)


async def watched(stub: Any, name: str, token: str = "") -> list[pb.TrainingJobEvent]:
    """All events of a watch until it ends."""
    request = pb.WatchTrainingJobRequest(name=name, resume_token=token)
    return [event async for event in stub.WatchTrainingJob(request)]


async def finished(stub: Any, name: str) -> pb.TrainingJob:
    """The job once it has ended."""
    return (await watched(stub, name))[-1].training_job


async def reason_of(call: Awaitable[Any]) -> tuple[str, str]:
    """Status and reason with which a call fails."""
    from shared.errors.rpc import from_rpc_error

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, str(from_rpc_error(caught.value).reason)
