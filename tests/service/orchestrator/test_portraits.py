"""Portraits over the real transport, with the services they are made of faked."""

import asyncio
import io
import json

from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res
from PIL import Image

from services.orchestrator.errors import QueueFull
from shared.errors import ErrorReason, LikenessError
from tests.support.fake_services.pictures import picture
from tests.support.orchestra import Orchestra


class PromptTooLong(LikenessError):
    reason = ErrorReason.PROMPT_TOO_LONG


class NoFaceFound(LikenessError):
    reason = ErrorReason.NO_FACE_FOUND


def other_person(request):
    """A candidate of somebody else."""
    return picture(5, seed=request.seed % 1000, size_px=256)


def sha256s(portrait: res.Portrait) -> list[str]:
    """Digests of the winners, by rank."""
    return [candidate.artifact.sha256 for candidate in portrait.candidates if candidate.is_winner]


async def test_a_train_free_portrait_returns_ranked_winners_with_manifests(stage: Orchestra):
    identity = await stage.client.identity()
    created = await stage.client.create(identity, seed=7, style="styles/sunset")

    portrait = await stage.client.finished(created.name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    assert portrait.progress == 1
    assert len(portrait.candidates) == 4
    winners = [candidate for candidate in portrait.candidates if candidate.is_winner]
    assert [candidate.rank for candidate in winners] == [1, 2]
    assert all(candidate.best_similarity > 0.9 for candidate in winners)
    manifest = json.loads(await stage.client.download(winners[0].manifest))
    assert manifest["seed"] == winners[0].seed
    assert manifest["sha256"] == winners[0].artifact.sha256
    assert manifest["style"]["name"] == "styles/sunset"
    stages = [item.stage for item in portrait.stage_times]
    assert stages == [res.STAGE_ANALYSE, res.STAGE_GENERATE, res.STAGE_FUSE, res.STAGE_RANK, res.STAGE_STORE]
    assert not portrait.used_adapter


async def test_the_prompt_joins_style_attributes_and_the_users_words(stage: Orchestra):
    identity = await stage.client.identity()
    created = await stage.client.create(
        identity, style="styles/sunset", prompt="green background, medal", negative_prompt="hat"
    )

    portrait = await stage.client.finished(created.name)

    assert portrait.prompt.startswith("portrait of a young woman, red bob hair")
    assert "green background" in portrait.prompt
    assert "orange background" not in portrait.prompt
    assert "medal" in portrait.prompt
    assert "glasses" not in portrait.prompt, "a vote of 0.1 says nothing"
    sent = stage.fakes.script.calls["Generate"][0]
    assert sent.prompt == portrait.prompt
    assert sent.negative_prompt == "hat"


async def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(stage: Orchestra):
    identity = await stage.client.identity()

    made = [await stage.client.create(identity, seed=seed) for seed in (1, 1, 2)]
    first, again, other = [sha256s(await stage.client.finished(portrait.name)) for portrait in made]

    assert first == again
    assert set(first).isdisjoint(other)


async def test_two_identities_in_flight_give_the_bytes_that_each_gives_alone(stage: Orchestra):
    identities = [await stage.client.identity(person) for person in (1, 2)]
    alone = [
        sha256s(await stage.client.finished((await stage.client.create(identity, seed=3)).name))
        for identity in identities
    ]

    made = await asyncio.gather(*(stage.client.create(identity, seed=3) for identity in identities))
    together = await asyncio.gather(*(stage.client.finished(portrait.name) for portrait in made))

    assert [sha256s(portrait) for portrait in together] == alone
    assert alone[0] != alone[1]


async def test_training_makes_an_adapter_that_later_portraits_use(stage: Orchestra):
    identity = await stage.client.identity()

    trained = await stage.client.create(identity, mode=res.IDENTITY_MODE_TRAIN)
    trained = await stage.client.finished(trained.name)
    auto = await stage.client.create(identity, mode=res.IDENTITY_MODE_UNSPECIFIED)
    auto = await stage.client.finished(auto.name)
    free = await stage.client.finished((await stage.client.create(identity)).name)

    assert trained.state == job_pb2.JOB_STATE_SUCCEEDED, trained.error
    assert [trained.used_adapter, auto.used_adapter, free.used_adapter] == [True, True, False]
    assert len(stage.fakes.script.calls["CreateTrainingJob"]) == 1
    known = await stage.client.stub.GetIdentity(pb.GetIdentityRequest(name=identity))
    used = stage.fakes.script.calls["Generate"][0].adapters[0].artifact
    assert used.sha256 == known.adapter.sha256
    assert res.STAGE_TRAIN in [item.stage for item in trained.stage_times]


async def test_equal_photos_train_to_equal_adapters_whoever_asks_first(stage: Orchestra):
    first, second = [await stage.client.identity(1), await stage.client.identity(1)]

    for identity, seed in ((first, 1), (second, 2)):
        made = await stage.client.create(identity, mode=res.IDENTITY_MODE_TRAIN, seed=seed)
        await stage.client.finished(made.name)

    adapters = [
        (await stage.client.stub.GetIdentity(pb.GetIdentityRequest(name=name))).adapter.sha256
        for name in (first, second)
    ]
    assert adapters[0] == adapters[1]


async def test_an_effect_is_applied_to_the_winners_only(stage: Orchestra):
    identity = await stage.client.identity()

    portrait = await stage.client.finished((await stage.client.create(identity, style="styles/toon")).name)

    assert len(stage.fakes.script.calls["Stylize"]) == 2
    manifests = [
        json.loads(await stage.client.download(candidate.manifest)) for candidate in portrait.candidates
    ]
    assert ["stylize toon 1" in manifest["transformations"] for manifest in manifests] == [
        True,
        True,
        False,
        False,
    ]


async def test_512_px_come_through_the_upscaler(stage: Orchestra):
    identity = await stage.client.identity()

    portrait = await stage.client.finished((await stage.client.create(identity, size_px=512)).name)

    [first, _] = await stage.client.winners(portrait)
    assert Image.open(io.BytesIO(first)).size == (512, 512)
    assert {request.width_px for request in stage.fakes.script.calls["Generate"]} == {256}


async def test_where_too_few_pass_more_are_made_with_new_seeds(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.script.queue("Generate", *[other_person] * 3)

    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED
    assert len(portrait.candidates) == 6
    assert len({candidate.seed for candidate in portrait.candidates}) == 6
    assert len(sha256s(portrait)) == 2
    rejected = [candidate for candidate in portrait.candidates if candidate.HasField("rejection")]
    assert {candidate.rejection.reason for candidate in rejected} == {"BELOW_IDENTITY_GATE"}
    assert all(candidate.artifact.sha256 for candidate in rejected), "rejected pictures are kept"
    assert list(portrait.notices) == []


async def test_where_the_budget_is_spent_fewer_are_returned_with_the_reason(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.script.queue("Generate", *[other_person] * 3, lambda request: picture(1, size_px=256))
    stage.fakes.script.queue("Generate", *[other_person] * 4)

    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED
    assert len(sha256s(portrait)) == 1
    assert len(portrait.candidates) == 8
    assert "1 of 2 portraits" in portrait.notices[0]


async def test_where_none_passes_the_portrait_fails_and_keeps_what_was_rejected(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.script.queue("Generate", *[other_person] * 8)

    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    assert portrait.state == job_pb2.JOB_STATE_FAILED
    assert portrait.error.reason == "NO_CANDIDATE_PASSED"
    assert portrait.error.metadata["count"] == "8"
    assert portrait.error.metadata["rejections"] == "8 BELOW_IDENTITY_GATE"
    assert "8 BELOW_IDENTITY_GATE" in portrait.error.message
    assert len(portrait.candidates) == 8
    assert all(candidate.manifest.sha256 for candidate in portrait.candidates)


async def test_candidates_without_a_single_face_are_rejected_with_their_reason(stage: Orchestra):
    identity = await stage.client.identity()
    for faces in (0, 2):
        stage.fakes.script.queue(
            "Generate", lambda request, faces=faces: picture(1, faces=faces, size_px=256)
        )

    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    reasons = sorted(candidate.rejection.reason for candidate in portrait.candidates)
    assert reasons == ["", "", "NO_FACE_FOUND", "SEVERAL_FACES"]
    assert len(stage.fakes.script.calls["Fuse"]) == 2


async def test_a_candidate_that_fusion_refuses_is_never_passed_on_silently(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.script.queue("Fuse", NoFaceFound(min_face_px=48, image="candidate"))

    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    refused = [candidate for candidate in portrait.candidates if candidate.HasField("rejection")]
    assert [candidate.rejection.reason for candidate in refused] == ["NO_FACE_FOUND"]
    assert not refused[0].is_winner


async def test_a_failing_stage_fails_the_portrait_with_the_services_reason(stage: Orchestra):
    identity = await stage.client.identity()
    error = PromptTooLong(field="prompt", tokens=90, limit=75)
    stage.fakes.script.queue("Generate", error)

    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    assert portrait.state == job_pb2.JOB_STATE_FAILED
    assert portrait.error.reason == "PROMPT_TOO_LONG"
    assert portrait.error.message == error.message
    assert portrait.error.metadata["tokens"] == "90"
    assert portrait.HasField("end_time")


async def test_a_full_queue_is_waited_for(stage: Orchestra):
    identity = await stage.client.identity()
    full = QueueFull(queue="diffusion", limit=1, retry_after_s=0.05)
    stage.fakes.script.queue("Generate", full, full)

    portrait = await stage.client.finished((await stage.client.create(identity)).name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED
    assert len(stage.fakes.script.calls["Generate"]) == 6
