"""An orchestrator over the fake services: one server each in this process, the real transport between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from likeness.common.v1 import image_pb2, job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import orchestrator_pb2_grpc as pb_grpc
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.bootstrap import NAME, build
from services.orchestrator.settings import OrchestratorSettings
from shared.artifacts import open_store
from shared.channels import open_channel
from shared.server import LikenessServer
from shared.settings import ServerSettings
from tests.support.fake_services.fakes import Fakes
from tests.support.fake_services.pictures import picture
from tests.support.fake_services.serving import services_of

TERMINAL = {job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED}
_TARGETS = ("face_analysis", "lora_training", "diffusion", "fusion", "stylization")


def photos(person: int, count: int = 3) -> list[image_pb2.Image]:
    """Photos of a person, each with its name."""
    return [
        image_pb2.Image(data=picture(person, seed=seed), name=f"{person}-{seed}.png") for seed in range(count)
    ]


def orchestrator_settings(folder: Path, port: int, **changes: Any) -> OrchestratorSettings:
    """Settings with everything under a folder, and all other services behind one port."""
    targets = {f"{name}_target": f"127.0.0.1:{port}" for name in _TARGETS}
    return OrchestratorSettings(
        **{
            "artifacts_url": str(folder / "artifacts"),
            "database_url": f"sqlite:///{folder / 'records.sqlite'}",
            "workflow_database_url": f"sqlite:///{folder / 'workflows.sqlite'}",
            "patience_s": 5.0,
            **targets,
            **changes,
        }
    )


@dataclass
class Client:
    """The stub, with the few things that every test does."""

    stub: pb_grpc.OrchestratorServiceStub

    async def identity(self, person: int = 1, count: int = 3, **fields: Any) -> str:
        """Create an identity; return its name."""
        request = pb.CreateIdentityRequest(photos=photos(person, count), **fields)
        return (await self.stub.CreateIdentity(request)).name

    async def create(self, identity: str, *, request_id: str = "", **spec: Any) -> res.Portrait:
        """Create a portrait of two images out of four candidates, unless told otherwise."""
        wanted = {"portrait_count": 2, "candidate_count": 4, "mode": res.IDENTITY_MODE_TRAIN_FREE, **spec}
        message = res.PortraitSpec(identity=identity, **wanted)
        return await self.stub.CreatePortrait(pb.CreatePortraitRequest(spec=message, request_id=request_id))

    async def watch(self, name: str, token: str = "") -> list[pb.PortraitEvent]:
        """Watch a portrait to its end; return all events."""
        request = pb.WatchPortraitRequest(name=name, resume_token=token)
        return [event async for event in self.stub.WatchPortrait(request)]

    async def get(self, name: str) -> res.Portrait:
        """Return a portrait as of now."""
        return await self.stub.GetPortrait(pb.GetPortraitRequest(name=name))

    async def until(self, name: str, state: int) -> res.Portrait:
        """Wait until a portrait has a state."""
        async with asyncio.timeout(20):
            while (portrait := await self.get(name)).state != state:
                assert portrait.state not in TERMINAL, portrait
                await asyncio.sleep(0.02)
        return portrait

    async def finished(self, name: str) -> res.Portrait:
        """Wait for a portrait's end."""
        await self.watch(name)
        return await self.get(name)

    async def download(self, ref: image_pb2.ArtifactRef) -> bytes:
        """Read an artifact."""
        request = pb.DownloadArtifactRequest(uri=ref.uri)
        return b"".join([part.chunk async for part in self.stub.DownloadArtifact(request)])

    async def winners(self, portrait: res.Portrait) -> list[bytes]:
        """Read the portraits, by rank."""
        chosen = [candidate for candidate in portrait.candidates if candidate.is_winner]
        return [await self.download(candidate.artifact) for candidate in chosen]


@dataclass
class Orchestra:
    """What a test plays with."""

    fakes: Fakes
    folder: Path
    server: LikenessServer
    fakes_port: int
    client: Client

    def blobs(self) -> list[str]:
        """Return where the artifacts of the client's tenant are."""
        return self.fakes.store.list_uris(tenant="default")

    def client_of(self, tenant: str) -> tuple[Client, grpc.aio.Channel]:
        """Return a client of another tenant, and its channel to be closed."""
        channel = open_channel(f"127.0.0.1:{self.server.port}", [NAME], tenant=tenant)
        return Client(pb_grpc.OrchestratorServiceStub(channel)), channel


@asynccontextmanager
async def orchestra(folder: Path, *, fakes: Fakes | None = None, **changes: Any) -> AsyncIterator[Orchestra]:
    """Run fakes and orchestrator; leaving stops them and checks that every queued answer was used."""
    fakes = fakes or Fakes(open_store(str(folder / "artifacts")))
    async with AsyncExitStack() as stack:
        backs = LikenessServer(services_of(fakes), ServerSettings())
        port = await backs.start()
        stack.push_async_callback(backs.stop, grace_s=0)
        await backs.warm_up()
        front = LikenessServer([build(orchestrator_settings(folder, port, **changes))], ServerSettings())
        await front.start()
        stack.push_async_callback(front.stop, grace_s=0)
        channel = open_channel(f"127.0.0.1:{front.port}", [NAME])
        stack.push_async_callback(channel.close)
        await front.warm_up()
        yield Orchestra(fakes, folder, front, port, Client(pb_grpc.OrchestratorServiceStub(channel)))
    fakes.script.check()
