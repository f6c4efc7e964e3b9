"""The stage FUSE over the real transport: which steps are done, what they are sent, and what is told."""

import asyncio
import json
import time

import pytest
from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res

from tests.support.finished_portraits import ONE, STEPS, edits, made
from tests.support.orchestra import Orchestra


async def test_all_steps_are_done_and_told(stage: Orchestra):
    portrait = await made(stage)

    found = edits(portrait)
    assert list(found) == STEPS
    assert all(edit.is_kept and not edit.reason for edit in found.values()), found
    fuse = found["fuse"]
    assert fuse.similarity_after > fuse.similarity_before + 0.005
    assert fuse.quality_before == pytest.approx(0.8)
    assert fuse.detail.startswith("1-0.png at 1 by fake, posed warp, pose fit 0.90")
    assert "1 mole; not placed: 1 turned away" in found["restore_marks"].detail
    assert not found["restore_texture"].HasField("similarity_before"), "measured with the marks"
    [candidate] = portrait.candidates
    [mark] = candidate.restored_marks
    assert (mark.kind, mark.center.x, mark.center.y, mark.radius_px) == ("mole", 20, 30, 1.5)
    manifest = json.loads(await stage.client.download(candidate.manifest))
    assert [edit["step"] for edit in manifest["edits"]] == STEPS
    assert manifest["restored_marks"][0]["kind"] == "mole"
    assert manifest["verdict"]["rank"] == 1
    assert len(manifest["transformations"]) == 4
    assert list(portrait.notices) == []


async def test_fusion_gets_references_by_address_with_structure_and_marks(stage: Orchestra):
    await made(stage)

    for rpc, field in (
        ("Fuse", "templates"),
        ("RestoreTexture", "references"),
        ("RestoreMarks", "references"),
    ):
        [request] = stage.fakes.script.calls[rpc]
        sent = getattr(request, field)
        assert len(sent) == 3
        for reference in sent:
            assert reference.image.WhichOneof("source") == "artifact"
            [face] = reference.faces
            assert face.has_marks_searched and face.marks and face.dense_landmarks.points
        [face] = request.candidate.faces
        assert face.dense_landmarks.scheme == "fake-5" and face.HasField("comparison_embedding")
        assert face.quality.judged == pytest.approx(0.8)


async def test_no_picture_is_analysed_twice(stage: Orchestra):
    created = await stage.client.create(await stage.client.identity(), candidate_count=4, portrait_count=2)
    await stage.client.finished(created.name)

    calls = stage.fakes.script.calls["Analyze"]
    pictures = [
        image.data or image.artifact.sha256 for call in calls if call.features for image in call.images
    ]
    assert len(pictures) == len(set(pictures)) == 3 + 4 * 4, "references, and each candidate at four times"
    assert len(stage.fakes.script.calls["GetBackend"]) == 1


async def test_marks_are_told_in_pixels_of_the_enlarged_picture(stage: Orchestra):
    portrait = await made(stage, size_px=512)

    [mark] = portrait.candidates[0].restored_marks
    assert (mark.center.x, mark.center.y, mark.radius_px) == (40.5, 60.5, 3)
    assert edits(portrait)["upscale"].detail == "fake x2"


async def test_a_client_can_turn_each_step_off(stage: Orchestra):
    portrait = await made(
        stage, finishing=res.Finishing(restore_marks=False, restore_texture=False, enhance=False)
    )
    assert list(edits(portrait)) == ["fuse"]
    assert not portrait.spec.finishing.enhance and portrait.spec.finishing.fuse

    portrait = await made(stage, finishing=res.Finishing(fuse=False))
    assert list(edits(portrait)) == ["enhance"]
    assert len(stage.fakes.script.calls["Fuse"]) == 1


async def test_a_cartoon_style_gets_no_texture(stage: Orchestra):
    portrait = await made(stage, style="styles/toon")

    assert "restore_texture" not in edits(portrait)
    assert not stage.fakes.script.calls["RestoreTexture"]


async def test_cancelling_reaches_a_step_that_is_being_done(stage: Orchestra):
    identity = await stage.client.identity()
    created = await stage.client.create(identity, **ONE)
    call = stage.client.stub.WatchPortrait(pb.WatchPortraitRequest(name=created.name))
    async for event in call:
        if event.WhichOneof("event") == "candidate":
            stage.fakes.step_s = 60
            break
    call.cancel()
    async with asyncio.timeout(20):
        while not stage.fakes.script.calls["Fuse"] and not stage.fakes.script.calls["Analyze"][-1].features:
            await asyncio.sleep(0.02)

    began_s = time.monotonic()
    portrait = await stage.client.stub.CancelPortrait(pb.CancelPortraitRequest(name=created.name))

    assert portrait.state == job_pb2.JOB_STATE_CANCELLED
    assert portrait.stage == res.STAGE_FUSE
    assert time.monotonic() - began_s < 4
    assert not stage.fakes.script.calls["Rank"]
