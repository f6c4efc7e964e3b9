"""Watching and cancelling."""

import asyncio

import grpc
import pytest
from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res

from shared.errors.rpc import from_rpc_error
from tests.support.gated_unet import until
from tests.support.orchestra import Orchestra, orchestra


def kinds(events: list[pb.PortraitEvent]) -> list[str]:
    return [event.WhichOneof("event") or "heartbeat" for event in events]


async def test_a_watch_tells_state_steps_candidates_and_the_end(stage: Orchestra):
    identity = await stage.client.identity()
    created = await stage.client.create(identity)

    events = await stage.client.watch(created.name)

    assert kinds(events)[0] == "portrait"
    assert events[-1].portrait.state == job_pb2.JOB_STATE_SUCCEEDED
    sequences = [event.sequence for event in events]
    assert sequences == sorted(sequences)
    news = [event.candidate for event in events if event.WhichOneof("event") == "candidate"]
    for at in (res.STAGE_GENERATE, res.STAGE_FUSE, res.STAGE_RANK):
        told = sorted(item.candidate.candidate_id for item in news if item.stage == at)
        assert told == ["candidate-1", "candidate-2", "candidate-3", "candidate-4"]
    assert all(0 < len(item.thumbnail.data) <= 64 * 1024 for item in news)
    steps = [event.step for event in events if event.WhichOneof("event") == "step"]
    assert any(step.stage == res.STAGE_GENERATE and step.steps_done > 1 for step in steps)


async def test_a_watch_of_a_finished_portrait_ends_with_its_last_state(stage: Orchestra):
    identity = await stage.client.identity()
    created = await stage.client.create(identity)
    await stage.client.finished(created.name)

    events = await stage.client.watch(created.name)

    assert events[0].portrait.state == job_pb2.JOB_STATE_SUCCEEDED
    assert events[-1].portrait.state == job_pb2.JOB_STATE_SUCCEEDED
    again = await stage.client.watch(created.name, events[-1].resume_token)
    assert kinds(again) == ["portrait"]


async def test_a_watch_resumes_after_the_last_seen_sequence_without_gaps(stage: Orchestra):
    stage.fakes.step_s = 0.01
    identity = await stage.client.identity()
    created = await stage.client.create(identity)
    seen: list[pb.PortraitEvent] = []
    call = stage.client.stub.WatchPortrait(pb.WatchPortraitRequest(name=created.name))
    async for event in call:
        seen.append(event)
        if event.WhichOneof("event") == "candidate":
            break
    call.cancel()

    rest = await stage.client.watch(created.name, seen[-1].resume_token)

    assert rest[0].WhichOneof("event") == "portrait", "the state as of now comes first"
    told = [
        (event.sequence, event.candidate.stage, event.candidate.candidate.candidate_id)
        for event in seen + rest
        if event.WhichOneof("event") == "candidate"
    ]
    assert len(told) == len(set(told)) == 12
    assert rest[-1].portrait.state == job_pb2.JOB_STATE_SUCCEEDED


async def test_ending_a_watch_and_leaving_never_cancels_the_work(stage: Orchestra):
    stage.fakes.step_s = 0.01
    identity = await stage.client.identity()
    other, channel = stage.client_of("default")
    created = await other.create(identity)
    call = other.stub.WatchPortrait(pb.WatchPortraitRequest(name=created.name))
    await call.read()
    await channel.close()

    portrait = await stage.client.finished(created.name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED
    assert stage.fakes.cancelled == []


async def test_a_foreign_resume_token_is_history_gone(stage: Orchestra):
    identity = await stage.client.identity()
    created = await stage.client.create(identity)

    for token in ("nonsense", "other.1", "{id}.999999", "{id}.x"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stage.client.watch(created.name, token.format(id=created.name.split("/")[1]))

        assert caught.value.code() == grpc.StatusCode.OUT_OF_RANGE
        assert from_rpc_error(caught.value).reason == "HISTORY_GONE", token


async def test_a_silent_portrait_sends_heartbeats(tmp_path):
    async with orchestra(tmp_path, heartbeat_s=0.2) as stage:
        stage.fakes.step_s = 60
        identity_fakes, stage.fakes.step_s = stage.fakes.step_s, 0
        identity = await stage.client.identity()
        stage.fakes.step_s = identity_fakes
        created = await stage.client.create(identity)
        call = stage.client.stub.WatchPortrait(pb.WatchPortraitRequest(name=created.name))
        async with asyncio.timeout(10):
            async for event in call:
                if event.WhichOneof("event") is None:
                    break
        call.cancel()

        assert event.resume_token


async def test_estimates_come_with_the_progress(stage: Orchestra):
    stage.fakes.step_s = 0.08
    identity = await stage.client.identity()
    created = await stage.client.create(identity)

    events = await stage.client.watch(created.name)

    states = [event.portrait for event in events if event.WhichOneof("event") == "portrait"]
    progress = [state.progress for state in states]
    assert progress == sorted(progress)
    assert any(0 < state.progress < 1 and state.HasField("remaining_time") for state in states)
    assert not states[-1].HasField("remaining_time")


async def test_cancel_reaches_diffusion_within_a_step(stage: Orchestra):
    def slow_down(_: object) -> None:
        stage.fakes.step_s = 60

    identity = await stage.client.identity()
    stage.fakes.script.queue("Generate", *[slow_down] * 4)
    created = await stage.client.create(identity)
    await until(lambda: len(stage.fakes.script.calls["Generate"]) == 4)

    async with asyncio.timeout(30):
        portrait = await stage.client.stub.CancelPortrait(pb.CancelPortraitRequest(name=created.name))

    assert portrait.state == job_pb2.JOB_STATE_CANCELLED
    await until(lambda: len(stage.fakes.cancelled) >= 4)
    assert stage.fakes.cancelled == ["Generate"] * 4
    assert portrait.HasField("end_time")
    again = await stage.client.stub.CancelPortrait(pb.CancelPortraitRequest(name=created.name))
    assert again.state == job_pb2.JOB_STATE_CANCELLED


async def test_cancel_during_training_cancels_the_job(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.step_s = 0.3
    stage.fakes.step_count_trained = 1000
    created = await stage.client.create(identity, mode=res.IDENTITY_MODE_TRAIN)
    while not stage.fakes.script.calls["WatchTrainingJob"]:
        await asyncio.sleep(0.01)

    portrait = await stage.client.stub.CancelPortrait(pb.CancelPortraitRequest(name=created.name))

    assert portrait.state == job_pb2.JOB_STATE_CANCELLED
    assert stage.fakes.cancelled == ["CancelTrainingJob"]
    assert stage.fakes.script.calls["Generate"] == []


async def test_a_waiting_portrait_can_be_cancelled(tmp_path):
    async with orchestra(tmp_path, max_running_portraits=1) as stage:
        identity = await stage.client.identity()
        stage.fakes.step_s = 0.5
        running = await stage.client.create(identity)
        waiting = await stage.client.create(identity)
        await stage.client.until(running.name, job_pb2.JOB_STATE_RUNNING)

        cancelled = await stage.client.stub.CancelPortrait(pb.CancelPortraitRequest(name=waiting.name))

        assert cancelled.state == job_pb2.JOB_STATE_CANCELLED
        assert not cancelled.HasField("start_time")
        assert (await stage.client.get(running.name)).state == job_pb2.JOB_STATE_RUNNING


async def test_deleting_a_running_portrait_ends_its_watches(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.step_s = 0.3
    created = await stage.client.create(identity)
    watching = asyncio.create_task(stage.client.watch(created.name))
    await stage.client.until(created.name, job_pb2.JOB_STATE_RUNNING)

    await stage.client.stub.DeletePortrait(pb.DeletePortraitRequest(name=created.name))

    async with asyncio.timeout(10):
        assert await watching


async def test_cancel_after_the_end_changes_nothing(stage: Orchestra):
    identity = await stage.client.identity()
    done = await stage.client.finished((await stage.client.create(identity)).name)

    after = await stage.client.stub.CancelPortrait(pb.CancelPortraitRequest(name=done.name))

    assert after == done
