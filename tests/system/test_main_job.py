"""The main job over the real services and the starter pack: photos in, ranked portraits out."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from likeness.common.v1 import image_pb2, job_pb2
from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import orchestrator_pb2_grpc as pb_grpc
from likeness.orchestrator.v1 import resources_pb2 as res
from PIL import Image

from services.orchestrator.bootstrap import NAME
from shared.channels import open_channel
from tests.support.orchestra import Client
from tests.support.real_server import SAMPLES, RealServer

PEOPLE = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())
FACES = "likeness.face_analysis.v1.FaceAnalysisService"
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    server = RealServer(tmp_path_factory.mktemp("real"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def channel(real: RealServer) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(real.target, [NAME, FACES]) as opened:
        yield opened


@pytest.fixture
def client(channel: grpc.aio.Channel) -> Client:
    return Client(pb_grpc.OrchestratorServiceStub(channel))


def sample(person: str) -> list[image_pb2.Image]:
    """The renders of a sample identity."""
    files = sorted((SAMPLES / person).glob("*.png"))
    return [image_pb2.Image(data=file.read_bytes(), name=file.name) for file in files]


async def identity_of(client: Client, person: str) -> str:
    request = pb.CreateIdentityRequest(display_name=person, photos=sample(person), request_id=person)
    return (await client.stub.CreateIdentity(request)).name


async def embeddings(channel: grpc.aio.Channel, images: list[bytes]) -> list[np.ndarray]:
    """One embedding for each picture with exactly one face."""
    stub = face_analysis_pb2_grpc.FaceAnalysisServiceStub(channel)
    request = face_analysis_pb2.AnalyzeRequest(images=[image_pb2.Image(data=data) for data in images])
    results = (await stub.Analyze(request)).images
    return [np.array(item.faces[0].embedding.values) for item in results if len(item.faces) == 1]


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def overhead(portrait: res.Portrait) -> float:
    """Share of the wall time that no stage accounts for."""
    wall_s = portrait.end_time.ToNanoseconds() / 1e9 - portrait.start_time.ToNanoseconds() / 1e9
    own_s = sum(item.duration.ToNanoseconds() / 1e9 for item in portrait.stage_times)
    return (wall_s - own_s) / wall_s


async def test_three_of_four_portraits_look_like_the_person_and_not_like_the_others(channel, client):
    person = PEOPLE[0]
    created = await client.create(
        await identity_of(client, person), portrait_count=4, candidate_count=8, seed=1
    )

    events = await client.watch(created.name)
    portrait = await client.get(created.name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    images = await client.winners(portrait)
    references = {name: await embeddings(channel, [image.data for image in sample(name)]) for name in PEOPLE}
    found = await embeddings(channel, images)
    best = [
        {name: max(float(face @ known) for known in faces) for name, faces in references.items()}
        for face in found
    ]
    alike = [
        closest[person] > max(value for name, value in closest.items() if name != person) for closest in best
    ]
    assert sum(alike) >= 3, (best, portrait.notices)
    steps = [event.step for event in events if event.WhichOneof("event") == "step"]
    assert any(step.HasField("preview") for step in steps)
    manifest = json.loads(await client.download(portrait.candidates[0].manifest))
    assert len(manifest["model_digest"]) == 64
    assert overhead(portrait) < 0.05, "the orchestrator itself takes less than a twentieth of the time"


async def test_two_identities_in_flight_give_the_pictures_that_each_gives_alone(client):
    """Tolerance: no channel of a pixel differs by more than 2 of 255, the mean by less than 0.05."""
    spec = {"portrait_count": 1, "candidate_count": 2, "seed": 3}
    identities = [await identity_of(client, person) for person in PEOPLE[:2]]
    alone = [await client.finished((await client.create(name, **spec)).name) for name in identities]

    made = await asyncio.gather(*(client.create(name, **spec) for name in identities))
    together = await asyncio.gather(*(client.finished(portrait.name) for portrait in made))

    for first, second in zip(alone, together, strict=True):
        assert first.state == second.state
        one, other = (
            {candidate.candidate_id: candidate for candidate in portrait.candidates}
            for portrait in (first, second)
        )
        for name in one.keys() & other.keys():
            difference = np.abs(
                pixels(await client.download(one[name].artifact))
                - pixels(await client.download(other[name].artifact))
            )
            assert difference.max() <= 2
            assert difference.mean() < 0.05


@pytest.mark.slow
async def test_a_trained_adapter_takes_part_and_goes_with_its_identity(client):
    request = pb.CreateIdentityRequest(display_name="to be deleted", photos=sample(PEOPLE[1]))
    name = (await client.stub.CreateIdentity(request)).name
    created = await client.create(
        name, portrait_count=1, candidate_count=4, seed=4, mode=res.IDENTITY_MODE_TRAIN
    )

    portrait = await client.finished(created.name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    assert portrait.used_adapter
    manifest = json.loads(await client.download(portrait.candidates[0].manifest))
    assert len(manifest["adapters"]) == 1
    receipt = await client.stub.DeleteIdentity(pb.DeleteIdentityRequest(name=name))
    assert (receipt.adapter_count, receipt.training_job_count, receipt.portrait_count) == (1, 1, 1)


@pytest.mark.slow
async def test_the_toon_style_is_drawn_by_the_stylization_service(client):
    created = await client.create(
        await identity_of(client, PEOPLE[2]),
        portrait_count=1,
        candidate_count=4,
        seed=5,
        style="styles/toon",
    )

    portrait = await client.finished(created.name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    manifest = json.loads(await client.download(portrait.candidates[0].manifest))
    assert manifest["transformations"][-1] == "stylize toon 1"


@pytest.mark.slow
async def test_killed_in_every_stage_the_portrait_ends_with_the_same_bytes(tmp_path: Path):
    stages = [
        res.STAGE_ANALYSE,
        res.STAGE_TRAIN,
        res.STAGE_GENERATE,
        res.STAGE_FUSE,
        res.STAGE_RANK,
        res.STAGE_STORE,
    ]
    spec = {
        "portrait_count": 1,
        "candidate_count": 2,
        "seed": 6,
        "mode": res.IDENTITY_MODE_TRAIN,
        "style": "styles/toon",
    }
    digests = []
    for name, kills in (("undisturbed", []), ("killed", stages)):
        (tmp_path / name).mkdir()
        server = RealServer(tmp_path / name)
        portrait = ""
        for stage in [*kills, None]:
            server.start()
            async with open_channel(server.target, [NAME]) as opened:
                client = Client(pb_grpc.OrchestratorServiceStub(opened))
                if not portrait:
                    portrait = (await client.create(await identity_of(client, PEOPLE[0]), **spec)).name
                if stage is None:
                    done = await client.finished(portrait)
                else:
                    await _reach(client, portrait, stage)
                    server.kill()
        server.stop()
        digests.append([(item.candidate_id, item.artifact.sha256) for item in done.candidates])

    assert digests[0] == digests[1]


async def _reach(client: Client, name: str, stage: int) -> None:
    """Return in the middle of a stage."""
    async for event in client.stub.WatchPortrait(pb.WatchPortraitRequest(name=name)):
        if event.WhichOneof("event") == "portrait" and event.portrait.stage == stage:
            await asyncio.sleep(0.05)
            return
    raise AssertionError(f"the portrait never came to stage {stage}")
