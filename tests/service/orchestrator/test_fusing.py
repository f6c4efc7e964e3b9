"""The stage FUSE over the real transport: what is done to candidates, what is undone, what is told."""

import asyncio
import io
import json
import time
from typing import Any

import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.face_analysis.v1 import face_analysis_pb2
from likeness.fusion.v1 import fusion_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res
from PIL import Image

from services.orchestrator.errors import CapabilityUnavailable
from shared.errors.common import FieldInvalid
from tests.support.fake_services import DRAWN_LIKENESS, FUSED_LIKENESS, picture
from tests.support.orchestra import Orchestra, orchestra

STEPS = ["fuse", "restore_texture", "restore_marks", "enhance"]
ONE = {"portrait_count": 1, "candidate_count": 1}


async def made(stage: Orchestra, **spec: Any) -> res.Portrait:
    """Make a portrait of one candidate."""
    created = await stage.client.create(await stage.client.identity(), **{**ONE, **spec})
    return await stage.client.finished(created.name)


def edits(portrait: res.Portrait) -> dict[str, res.Edit]:
    """The edits of the only candidate."""
    return {edit.step: edit for edit in portrait.candidates[0].edits}


def outcome(
    likeness: int = FUSED_LIKENESS, judged: int = 80, faces: int = 1, person: int = 1
) -> image_pb2.Image:
    """A picture as a step leaves it."""
    data = picture(person, seed=5, size_px=256, faces=faces, likeness=likeness, judged=judged)
    return image_pb2.Image(data=data)


def fused(image: image_pb2.Image) -> Any:
    return lambda _: fusion_pb2.FuseResponse(image=image, faces=[fusion_pb2.FusedFace()])


def textured(image: image_pb2.Image) -> Any:
    return lambda _: fusion_pb2.RestoreTextureResponse(image=image, strength=0.3)


def enhanced(image: image_pb2.Image) -> Any:
    return lambda _: fusion_pb2.EnhanceResponse(image=image, enhancer="fake")


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


async def test_fusion_that_does_not_raise_the_likeness_is_undone(stage: Orchestra):
    stage.fakes.script.queue("Fuse", fused(outcome(likeness=DRAWN_LIKENESS - 50)))

    found = edits(await made(stage))

    assert not found["fuse"].is_kept
    assert "did not raise the likeness" in found["fuse"].reason
    assert found["fuse"].similarity_after < found["fuse"].similarity_before
    assert found["restore_marks"].is_kept, "marks can do without"
    [request] = stage.fakes.script.calls["RestoreTexture"]
    [drawn] = stage.fakes.script.calls["Fuse"]
    assert request.candidate.image.data == drawn.candidate.image.data


async def test_fusion_that_costs_quality_or_the_face_is_undone(stage: Orchestra):
    for image, word in ((outcome(judged=70), "quality"), (outcome(faces=0), "no single face")):
        stage.fakes.script.queue("Fuse", fused(image))

        fuse = edits(await made(stage))["fuse"]

        assert not fuse.is_kept and word in fuse.reason


async def test_of_steps_measured_together_only_the_harmful_one_is_undone(stage: Orchestra):
    harmful = textured(outcome(likeness=0))
    stage.fakes.script.queue("RestoreTexture", harmful, harmful)

    portrait = await made(stage)

    found = edits(portrait)
    assert not found["restore_texture"].is_kept and "likeness" in found["restore_texture"].reason
    assert found["restore_marks"].is_kept
    assert list(found) == STEPS
    assert len(portrait.candidates[0].restored_marks) == 1


async def test_an_enhancer_that_lowers_the_likeness_is_undone(stage: Orchestra):
    stage.fakes.script.queue("Enhance", enhanced(outcome(likeness=DRAWN_LIKENESS - 60)))

    portrait = await made(stage)

    assert not edits(portrait)["enhance"].is_kept
    [winner] = await stage.client.winners(portrait)
    [marks] = stage.fakes.script.calls["RestoreMarks"]
    assert np.asarray(Image.open(io.BytesIO(winner)))[30, 20].tolist() == [0, 0, 0], "the mole is there still"
    assert marks.candidate.image.data != winner


async def test_an_upscaler_that_does_harm_gives_way_to_interpolation(stage: Orchestra):
    keep = enhanced(outcome())
    stage.fakes.script.queue("Enhance", keep, enhanced(outcome(likeness=0)))

    portrait = await made(stage, size_px=512)

    # What is interpolated loses the fakes' truth in its first pixels, so it is no winner here.
    [first] = [known for known in portrait.candidates if known.candidate_id == "candidate-1"]
    [*_, upscale] = first.edits
    assert not upscale.is_kept and "interpolation" in upscale.detail
    picture = Image.open(io.BytesIO(await stage.client.download(first.artifact)))
    assert picture.size == (512, 512)
    assert first.restored_marks[0].center.x == 40.5


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


async def test_where_no_mark_can_be_placed_the_reason_is_told(stage: Orchestra):
    def none(request: Any) -> fusion_pb2.RestoreMarksResponse:
        skipped = [fusion_pb2.SkippedMark(kind="mole", reason=fusion_pb2.MARK_SKIP_COVERED)] * 2
        return fusion_pb2.RestoreMarksResponse(image=request.candidate.image, skipped=skipped)

    stage.fakes.script.queue("RestoreMarks", none)

    portrait = await made(stage)

    found = edits(portrait)
    assert list(found) == STEPS
    assert not found["restore_marks"].is_kept
    assert found["restore_marks"].reason == "not placed: 2 covered"
    assert found["restore_texture"].HasField("similarity_after"), "measured alone then"
    assert not portrait.candidates[0].restored_marks


async def test_a_refused_optional_step_is_noted_and_the_rest_goes_on(stage: Orchestra):
    invalid = FieldInvalid(field="references", problem="no skin can be seen")
    lacking = CapabilityUnavailable(capability="enhancing", needed="an enhancer")
    stage.fakes.script.queue("RestoreTexture", invalid)
    stage.fakes.script.queue("Enhance", lacking)

    portrait = await made(stage)

    found = edits(portrait)
    assert found["restore_texture"].reason == invalid.message
    assert found["enhance"].reason == lacking.message
    assert found["restore_marks"].is_kept and portrait.state == job_pb2.JOB_STATE_SUCCEEDED


async def test_without_the_nets_five_points_do_and_the_notices_say_so(stage: Orchestra):
    stage.fakes.features = ()

    portrait = await made(stage)

    found = edits(portrait)
    assert found["fuse"].is_kept and found["restore_marks"].is_kept
    assert "no net" in found["restore_texture"].reason
    assert not stage.fakes.script.calls["RestoreTexture"]
    assert [("structure" in notice, "spots" in notice) for notice in portrait.notices] == [
        (True, False),
        (False, True),
    ]
    assert all(not call.features for call in stage.fakes.script.calls["Analyze"])


async def test_ranking_gets_what_the_words_ask_for_and_the_rate_of_the_server(tmp_path):
    async with orchestra(tmp_path, false_accept_rate=0.01) as stage:
        await made(stage, prompt="round glasses, black long hair")

        [request] = stage.fakes.script.calls["Rank"]
    wanted = {item.name: item.value for item in request.wanted_attributes}
    assert wanted == {"hair_color": "black", "hair_style": "long", "glasses": "round"}
    assert request.false_accept_rate == pytest.approx(0.01)
    assert not request.HasField("identity_gate")


async def test_where_only_the_metric_has_changed_faces_are_compared_anew(tmp_path):
    async with orchestra(tmp_path) as stage:
        identity = await stage.client.identity()
    before = stage.fakes
    async with orchestra(tmp_path) as stage:
        stage.fakes.comparison = "fake-refitted"
        first = await stage.client.finished((await stage.client.create(identity, **ONE)).name)
        again = await stage.client.finished((await stage.client.create(identity, **ONE)).name)

        assert first.state == again.state == job_pb2.JOB_STATE_SUCCEEDED, first.error
        assert not stage.fakes.script.calls["CuratePhotos"], "the verdicts stay"
        plain = [call for call in stage.fakes.script.calls["Analyze"] if not call.features]
        assert [len(call.images) for call in plain] == [1, 3, 1], "and once is enough"
        drawn = stage.fakes.script.calls["Generate"][0].identity.embeddings
    assert {item.model for item in drawn} == {before.embedder}, "a generator takes the raw ones"


async def test_where_the_embedder_has_changed_photos_are_judged_anew(tmp_path):
    async with orchestra(tmp_path) as stage:
        identity = await stage.client.identity()
    async with orchestra(tmp_path) as stage:
        stage.fakes.embedder, stage.fakes.comparison = "new", "new-fitted"
        portrait = await stage.client.finished((await stage.client.create(identity, **ONE)).name)

        assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
        assert len(stage.fakes.script.calls["CuratePhotos"]) == 1


async def test_a_face_that_is_not_found_again_goes_without_structure(stage: Orchestra):
    def elsewhere(request: Any) -> face_analysis_pb2.AnalyzeResponse:
        far = face_pb2.Face(box=image_pb2.Box(x0=60, y0=60, x1=64, y1=64), has_marks_searched=True)
        found = face_analysis_pb2.AnalyzedImage(faces=[far])
        return face_analysis_pb2.AnalyzeResponse(images=[found] * len(request.images))

    identity = await stage.client.identity()
    # The first call compares embedders, the second one is that of the references.
    stage.fakes.script.queue("Analyze", lambda _: None, elsewhere)

    portrait = await stage.client.finished((await stage.client.create(identity, **ONE)).name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    [request] = stage.fakes.script.calls["Fuse"]
    assert all(not template.faces[0].has_marks_searched for template in request.templates)
    assert all(template.faces[0].box.x1 < 60 for template in request.templates)


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
