"""Life of a training job over the wire."""

import asyncio

import pytest
from likeness.lora_training.v1 import lora_training_pb2 as pb

from services.lora_training.adapters.fake import FakeLauncher
from tests.service.lora_training.conftest import Start, finished, order, photo, reason_of, state, watched


async def test_a_job_is_queued_trains_and_succeeds_with_an_adapter(start: Start) -> None:
    harness = await start()
    created = await harness.stub.CreateTrainingJob(order())
    assert state(created) == "JOB_STATE_QUEUED" and created.name.startswith("trainingJobs/")
    events = await watched(harness.stub, created.name)
    job = events[-1].training_job
    assert state(job) == "JOB_STATE_SUCCEEDED"
    assert job.steps_done == 6 and job.adapter.step_count == 6 and job.adapter.rank == 2
    assert job.adapter.artifact.sha256 == harness.artifacts()[0].name
    assert job.create_time.ToNanoseconds() <= job.start_time.ToNanoseconds() <= job.end_time.ToNanoseconds()
    assert not job.HasField("remaining_time") and not job.HasField("error")
    assert (await harness.stub.GetTrainingJob(pb.GetTrainingJobRequest(name=job.name))) == job


async def test_options_come_back_filled_in_and_alpha_follows_the_rank(start: Start) -> None:
    harness = await start(default_step_count=3)
    job = await harness.stub.CreateTrainingJob(order(options=pb.TrainingOptions(rank=4)))
    assert (job.options.rank, job.options.alpha, job.options.step_count) == (4, 4.0, 3)
    assert job.options.batch_size > 0 and job.options.learning_rate > 0


async def test_photos_and_latents_are_gone_after_success(start: Start) -> None:
    harness = await start()
    job = await harness.stub.CreateTrainingJob(order())
    await finished(harness.stub, job.name)
    assert [path.name for path in harness.job_folders()[0].iterdir()] == ["job.json"]


async def test_watch_resumes_after_last_seen_sequence_without_gaps(start: Start) -> None:
    harness = await start(FakeLauncher(step_s=0.005, pause_at_step=3))
    job = await harness.stub.CreateTrainingJob(order(options=pb.TrainingOptions(step_count=20)))
    request = pb.WatchTrainingJobRequest(name=job.name)
    watch, undisturbed = harness.stub.WatchTrainingJob(request), harness.stub.WatchTrainingJob(request)
    first, whole = [await anext(aiter(watch))], [await anext(aiter(undisturbed))]
    # Both are there before step 4.
    harness.launcher.resume.set()
    async for event in watch:
        first.append(event)
        if event.training_job.steps_done == 7:
            break
    rest = await watched(harness.stub, job.name, first[-1].resume_token)
    whole += [event async for event in undisturbed]
    sequences = [event.sequence for event in first + rest]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert rest[0].training_job.steps_done == 8
    assert rest[-1] == whole[-1] and state(rest[-1].training_job) == "JOB_STATE_SUCCEEDED"


async def test_a_silent_watch_gets_heartbeats_with_the_job(start: Start) -> None:
    harness = await start(FakeLauncher(pause_at_step=2), heartbeat_s=0.05)
    job = await harness.stub.CreateTrainingJob(order())
    async for event in harness.stub.WatchTrainingJob(pb.WatchTrainingJobRequest(name=job.name)):
        if event.is_heartbeat and event.training_job.steps_done == 2:
            assert event.resume_token
            break
    harness.launcher.resume.set()
    assert state(await finished(harness.stub, job.name)) == "JOB_STATE_SUCCEEDED"


async def test_a_token_of_another_server_is_history_gone_and_junk_is_refused(start: Start) -> None:
    harness = await start()
    job = await harness.stub.CreateTrainingJob(order())
    await finished(harness.stub, job.name)
    assert await reason_of(watched(harness.stub, job.name, "other+3")) == ("OUT_OF_RANGE", "HISTORY_GONE")
    assert await reason_of(watched(harness.stub, job.name, "junk")) == ("INVALID_ARGUMENT", "FIELD_INVALID")


async def test_cancel_ends_a_running_job_and_removes_its_files(start: Start) -> None:
    harness = await start(FakeLauncher(pause_at_step=2))
    job = await harness.stub.CreateTrainingJob(order())
    async for event in harness.stub.WatchTrainingJob(pb.WatchTrainingJobRequest(name=job.name)):
        if event.training_job.steps_done == 2:
            break
    request = pb.CancelTrainingJobRequest(name=job.name)
    cancelled = await harness.stub.CancelTrainingJob(request)
    assert state(cancelled) == "JOB_STATE_CANCELLED" and cancelled.steps_done == 2
    assert await harness.stub.CancelTrainingJob(request) == cancelled
    assert [path.name for path in harness.job_folders()[0].iterdir()] == ["job.json"]
    assert harness.artifacts() == []


async def test_cancel_ends_a_waiting_job_and_leaves_the_running_one(start: Start) -> None:
    harness = await start(FakeLauncher(pause_at_step=1))
    running = await harness.stub.CreateTrainingJob(order())
    waiting = await harness.stub.CreateTrainingJob(order(subject="identities/bob"))
    cancelled = await harness.stub.CancelTrainingJob(pb.CancelTrainingJobRequest(name=waiting.name))
    assert state(cancelled) == "JOB_STATE_CANCELLED" and not cancelled.HasField("start_time")
    harness.launcher.resume.set()
    assert state(await finished(harness.stub, running.name)) == "JOB_STATE_SUCCEEDED"
    assert len(harness.launcher.workers) == 1


async def test_cancel_leaves_an_ended_job_as_it_is(start: Start) -> None:
    harness = await start()
    job = await harness.stub.CreateTrainingJob(order())
    done = await finished(harness.stub, job.name)
    assert await harness.stub.CancelTrainingJob(pb.CancelTrainingJobRequest(name=job.name)) == done


async def test_the_same_request_id_gives_the_same_job_and_another_body_is_refused(start: Start) -> None:
    harness = await start()
    request_id = "5a9e0f5e-2a52-4b53-8b3c-2f2b4d1f7f10"
    job = await harness.stub.CreateTrainingJob(order(request_id=request_id))
    again = await harness.stub.CreateTrainingJob(order(request_id=request_id))
    assert again.name == job.name and len(harness.job_folders()) == 1
    other = harness.stub.CreateTrainingJob(order(request_id=request_id, caption="a woman"))
    assert await reason_of(other) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert (await harness.stub_of("acme").CreateTrainingJob(order(request_id=request_id))).name != job.name


async def test_two_equal_requests_in_flight_make_one_job(start: Start) -> None:
    harness = await start()
    request = order(request_id="5a9e0f5e-2a52-4b53-8b3c-2f2b4d1f7f11")
    jobs = await asyncio.gather(*(harness.stub.CreateTrainingJob(request) for _ in range(4)))
    assert len({job.name for job in jobs}) == 1


async def test_a_full_queue_says_when_to_come_back(start: Start) -> None:
    harness = await start(FakeLauncher(pause_at_step=0), queue_limit=1)
    first = await harness.stub.CreateTrainingJob(order())
    while not harness.launcher.workers:
        await asyncio.sleep(0.01)
    await harness.stub.CreateTrainingJob(order(subject="identities/bob"))
    third = harness.stub.CreateTrainingJob(order(subject="identities/eve"))
    assert await reason_of(third) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
    harness.launcher.resume.set()
    assert state(await finished(harness.stub, first.name)) == "JOB_STATE_SUCCEEDED"


async def test_delete_removes_record_files_and_adapter(start: Start) -> None:
    harness = await start(checkpoint_every_steps=2)
    job = await harness.stub.CreateTrainingJob(order())
    await finished(harness.stub, job.name)
    removed = await harness.stub.DeleteTrainingJob(pb.DeleteTrainingJobRequest(name=job.name))
    assert removed.artifact_count == 1
    assert harness.job_folders() == [] and harness.artifacts() == []
    gone = harness.stub.GetTrainingJob(pb.GetTrainingJobRequest(name=job.name))
    assert await reason_of(gone) == ("NOT_FOUND", "UNKNOWN_TRAINING_JOB")


async def test_delete_of_a_running_job_stops_it_and_counts_its_checkpoints(start: Start) -> None:
    harness = await start(FakeLauncher(pause_at_step=4), checkpoint_every_steps=2)
    job = await harness.stub.CreateTrainingJob(order())
    async for event in harness.stub.WatchTrainingJob(pb.WatchTrainingJobRequest(name=job.name)):
        if event.training_job.steps_done == 4:
            break
    removed = await harness.stub.DeleteTrainingJob(pb.DeleteTrainingJobRequest(name=job.name))
    assert (removed.checkpoint_count, removed.artifact_count) == (2, 0)
    assert harness.job_folders() == []


async def test_delete_keeps_an_adapter_that_an_equal_job_shares(start: Start) -> None:
    harness = await start()
    names = [(await harness.stub.CreateTrainingJob(order())).name for _ in range(2)]
    jobs = [await finished(harness.stub, name) for name in names]
    assert jobs[0].adapter.artifact == jobs[1].adapter.artifact
    first = await harness.stub.DeleteTrainingJob(pb.DeleteTrainingJobRequest(name=names[0]))
    assert first.artifact_count == 0 and len(harness.artifacts()) == 1
    second = await harness.stub.DeleteTrainingJob(pb.DeleteTrainingJobRequest(name=names[1]))
    assert second.artifact_count == 1 and harness.artifacts() == []


async def test_another_tenant_sees_nothing(start: Start) -> None:
    harness = await start()
    job = await harness.stub.CreateTrainingJob(order())
    done = await finished(harness.stub, job.name)
    other = harness.stub_of("acme")
    assert not (await other.ListTrainingJobs(pb.ListTrainingJobsRequest())).training_jobs
    unknown = ("NOT_FOUND", "UNKNOWN_TRAINING_JOB")
    assert await reason_of(other.GetTrainingJob(pb.GetTrainingJobRequest(name=job.name))) == unknown
    assert await reason_of(other.CancelTrainingJob(pb.CancelTrainingJobRequest(name=job.name))) == unknown
    assert await reason_of(other.DeleteTrainingJob(pb.DeleteTrainingJobRequest(name=job.name))) == unknown
    assert await reason_of(watched(other, job.name)) == unknown
    assert await harness.stub.GetTrainingJob(pb.GetTrainingJobRequest(name=job.name)) == done


async def test_jobs_survive_a_restart_and_the_running_one_goes_on_first_from_its_checkpoint(
    start: Start,
) -> None:
    first = await start(FakeLauncher(pause_at_step=5), checkpoint_every_steps=2)
    job = await first.stub.CreateTrainingJob(order())
    waiting = await first.stub.CreateTrainingJob(order(subject="identities/bob", request_id="r1"))
    async for event in first.stub.WatchTrainingJob(pb.WatchTrainingJobRequest(name=job.name)):
        if event.training_job.steps_done == 5:
            break
    await first.server.stop(grace_s=0)
    second = await start(FakeLauncher(pause_at_step=4), checkpoint_every_steps=2)
    events = []
    async for event in second.stub.WatchTrainingJob(pb.WatchTrainingJobRequest(name=job.name)):
        events.append(event)
        second.launcher.resume.set()
    assert state(events[0].training_job) == "JOB_STATE_RUNNING"
    assert second.launcher.workers[0].first_step == 4
    assert state(events[-1].training_job) == "JOB_STATE_SUCCEEDED"
    again = await second.stub.CreateTrainingJob(order(subject="identities/bob", request_id="r1"))
    assert again.name == waiting.name
    assert state(await finished(second.stub, waiting.name)) == "JOB_STATE_SUCCEEDED"


async def test_jobs_are_listed_newest_first_page_by_page(start: Start) -> None:
    harness = await start()
    subjects = ["identities/ada", "identities/bob", "identities/ada"]
    names = [(await harness.stub.CreateTrainingJob(order(subject=s))).name for s in subjects]
    listed, token = [], ""
    while True:
        page = await harness.stub.ListTrainingJobs(pb.ListTrainingJobsRequest(page_size=2, page_token=token))
        listed += [job.name for job in page.training_jobs]
        token = page.next_page_token
        if not token:
            break
    assert listed == names[::-1]
    only = await harness.stub.ListTrainingJobs(pb.ListTrainingJobsRequest(subject="identities/ada"))
    assert [job.name for job in only.training_jobs] == [names[2], names[0]]
    junk = harness.stub.ListTrainingJobs(pb.ListTrainingJobsRequest(page_token="bm9uc2Vuc2U="))
    assert await reason_of(junk) == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"photos": []}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"photos": [photo(landmarks=False)]}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"base_model": "sd-9"}, ("NOT_FOUND", "UNKNOWN_MODEL")),
        ({"options": pb.TrainingOptions(rank=500)}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"options": pb.TrainingOptions(learning_rate=1e-9)}, ("INVALID_ARGUMENT", "VALUE_OUT_OF_RANGE")),
    ],
)
async def test_bad_orders_are_refused_and_leave_nothing(
    start: Start, fields: dict[str, object], expected: tuple[str, str]
) -> None:
    harness = await start()
    assert await reason_of(harness.stub.CreateTrainingJob(order(**fields))) == expected
    assert harness.job_folders() == []


async def test_bad_photos_are_refused_by_name(start: Start) -> None:
    harness = await start()
    bad = photo()
    bad.image.data = b"GIF89a rest"
    call = harness.stub.CreateTrainingJob(order(photos=[photo(1), bad]))
    assert await reason_of(call) == ("INVALID_ARGUMENT", "IMAGE_FORMAT_UNSUPPORTED")
    missing = photo()
    missing.image.artifact.uri = f"artifacts/acme/{'0' * 64}"
    call = harness.stub.CreateTrainingJob(order(photos=[missing]))
    assert await reason_of(call) == ("NOT_FOUND", "UNKNOWN_ARTIFACT")


async def test_landmarks_and_embeddings_that_do_not_fit_are_refused(start: Start) -> None:
    harness = await start()
    outside, swapped, short = photo(), photo(), photo()
    outside.landmarks.left_eye.x = outside.landmarks.right_eye.x = 500
    swapped.landmarks.left_eye.x, swapped.landmarks.right_eye.x = 26, 14
    short.embedding.values.extend([1.0] * 64)
    for wrong in (outside, swapped, short):
        call = harness.stub.CreateTrainingJob(order(photos=[wrong]))
        assert await reason_of(call) == ("INVALID_ARGUMENT", "FIELD_INVALID")
