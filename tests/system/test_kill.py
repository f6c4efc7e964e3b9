"""kill -9 in every stage: the portrait goes on, nothing finished is done twice, the bytes stay the same."""

import asyncio
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import orchestrator_pb2_grpc as pb_grpc
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.adapters.sql_store import SqlStore
from services.orchestrator.adapters.tables import open_database
from services.orchestrator.bootstrap import NAME
from services.orchestrator.engine import run
from shared.artifacts import open_store
from shared.channels import open_channel
from tests.support.fake_services.fakes import Fakes
from tests.support.gated_unet import until
from tests.support.orchestra import Client, Orchestra, orchestra

ROOT = Path(__file__).parents[2]
SHIPPED_STYLES = ROOT / "services" / "orchestrator" / "styles"
# Each stage, and an RPC that no other stage calls.
STAGES = {
    res.STAGE_ANALYSE: "ListEffects",
    res.STAGE_TRAIN: "WatchTrainingJob",
    res.STAGE_GENERATE: "Generate",
    res.STAGE_FUSE: "Fuse",
    res.STAGE_RANK: "Rank",
    res.STAGE_STORE: "Stylize",
}
# Has something to do in each stage: an adapter to train, an effect to apply at the end.
SPEC = {"mode": res.IDENTITY_MODE_TRAIN, "style": "styles/toon", "seed": 11}


class Server:
    """A server process over a folder."""

    def __init__(self, process: asyncio.subprocess.Process, client: Client) -> None:
        self.process = process
        self.client = client

    async def kill(self) -> None:
        """kill -9."""
        os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def server(folder: Path, held: str = "") -> AsyncIterator[Server]:
    """Start a server process and wait until it is warm; it is killed in the end.

    Calls of the RPC that is held never end: nothing goes past its stage.
    """
    (folder / "port").unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.fake_server", str(folder), held, cwd=ROOT
    )
    channel = None
    try:
        while not (folder / "port").exists():
            assert process.returncode is None, "the server did not start"
            await asyncio.sleep(0.02)
        channel = open_channel(f"127.0.0.1:{(folder / 'port').read_text()}", [NAME])
        yield Server(process, Client(pb_grpc.OrchestratorServiceStub(channel)))
    finally:
        if channel is not None:
            await channel.close()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def reach(client: Client, name: str, stage: int) -> None:
    """Return in a stage, of which an RPC is held: a watch may pass over one that is soon done."""
    call = client.stub.WatchPortrait(pb.WatchPortraitRequest(name=name))
    async for event in call:
        if event.WhichOneof("event") == "portrait" and event.portrait.stage == stage:
            break
    else:
        raise AssertionError(f"the portrait never came to stage {stage}")
    call.cancel()


def calls_in(folder: Path) -> Counter[str]:
    """What the fakes of all processes were asked for, by RPC."""
    file = folder / "calls"
    return Counter(file.read_text().split() if file.exists() else ())


async def reach_generate(stage: Orchestra, name: str) -> None:
    """Return while Generate, which is held, is at work."""
    await reach(stage.client, name, res.STAGE_GENERATE)
    await until(lambda: stage.fakes.script.calls["Generate"])


def pictures(portrait: res.Portrait) -> list[tuple[str, str]]:
    """Every candidate with the digest of its final picture, by rank."""
    return [(candidate.candidate_id, candidate.artifact.sha256) for candidate in portrait.candidates]


@pytest.mark.timeout(300)
async def test_a_portrait_that_is_killed_in_every_stage_ends_with_the_same_bytes(tmp_path: Path):
    async with orchestra(tmp_path / "undisturbed") as quiet:
        identity = await quiet.client.identity()
        expected = await quiet.client.finished((await quiet.client.create(identity, **SPEC)).name)
        undisturbed = Counter({rpc: len(calls) for rpc, calls in quiet.fakes.script.calls.items()})
    folder = tmp_path / "killed"
    folder.mkdir()

    name = ""
    for stage, rpc in STAGES.items():
        async with server(folder, held=rpc) as running:
            if not name:
                identity = await running.client.identity()
                name = (await running.client.create(identity, **SPEC)).name
            await reach(running.client, name, stage)
            await until(lambda rpc=rpc: calls_in(folder)[rpc])
            await running.kill()
    async with server(folder) as running:
        portrait = await running.client.finished(name)

        assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
        assert pictures(portrait) == pictures(expected)
        assert [item.stage for item in portrait.stage_times] == list(STAGES)
        events = await running.client.watch(name)
    told = [
        (event.candidate.candidate.candidate_id, event.candidate.stage)
        for event in events
        if event.WhichOneof("event") == "candidate"
    ]
    assert len(told) == len(set(told)), "news are told once"
    # Each stage was cut short once: its own calls may be made twice, and those of a finished stage never are.
    calls = calls_in(folder)
    for rpc in ("CreateTrainingJob", "Generate", "Fuse", "Rank", "Stylize"):
        assert undisturbed[rpc] <= calls[rpc] <= 2 * undisturbed[rpc], rpc


async def test_a_server_that_drains_leaves_the_portrait_to_the_next_one(tmp_path: Path):
    async with orchestra(tmp_path / "undisturbed") as quiet:
        identity = await quiet.client.identity()
        expected = await quiet.client.finished((await quiet.client.create(identity, seed=5)).name)
    async with orchestra(tmp_path / "drained") as first:
        identity = await first.client.identity()
        first.fakes.held = "Generate"
        name = (await first.client.create(identity, seed=5)).name
        await reach_generate(first, name)
    fakes = Fakes(open_store(str(tmp_path / "drained" / "artifacts")), held="Generate")
    async with orchestra(tmp_path / "drained", fakes=fakes) as second:
        assert (await second.client.get(name)).state == job_pb2.JOB_STATE_RUNNING

        fakes.held = ""
        portrait = await second.client.finished(name)

    assert pictures(portrait) == pictures(expected)


async def test_a_portrait_cancelled_while_no_server_ran_is_cancelled_at_the_next_start(tmp_path: Path):
    async with orchestra(tmp_path) as first:
        identity = await first.client.identity()
        first.fakes.held = "Generate"
        name = (await first.client.create(identity)).name
        await reach_generate(first, name)
    records = SqlStore(open_database(f"sqlite:///{tmp_path / 'records.sqlite'}"))
    records.request_cancel("default", name.split("/")[1])
    records.close()

    async with orchestra(tmp_path) as second:
        portrait = await second.client.finished(name)

    assert portrait.state == job_pb2.JOB_STATE_CANCELLED


async def test_a_portrait_whose_style_is_gone_fails_instead_of_staying_behind(tmp_path: Path):
    styles = shutil.copytree(SHIPPED_STYLES, tmp_path / "styles")
    async with orchestra(tmp_path, styles_folder=styles) as first:
        identity = await first.client.identity()
        first.fakes.held = "Generate"
        name = (await first.client.create(identity, style="styles/sunset")).name
        await reach_generate(first, name)
    (styles / "moods" / "sunset.yaml").unlink()

    async with orchestra(tmp_path, styles_folder=styles) as second:
        portrait = await second.client.finished(name)

    assert portrait.state == job_pb2.JOB_STATE_FAILED
    assert portrait.error.reason == "UNKNOWN_STYLE"


async def test_a_defect_between_the_stages_fails_the_portrait_with_an_id_only(tmp_path: Path, monkeypatch):
    def break_down(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(run, "candidates", break_down)
    async with orchestra(tmp_path) as stage:
        identity = await stage.client.identity()
        portrait = await stage.client.finished((await stage.client.create(identity)).name)

    assert portrait.state == job_pb2.JOB_STATE_FAILED
    assert portrait.error.reason == "INTERNAL"
    assert "secret" not in str(portrait)
