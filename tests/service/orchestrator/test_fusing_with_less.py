"""The stage FUSE where something is lacking: a net, a reference's structure, a step that is refused."""

from typing import Any

from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.face_analysis.v1 import face_analysis_pb2
from likeness.fusion.v1 import fusion_pb2

from services.orchestrator.errors import CapabilityUnavailable
from shared.errors.common import FieldInvalid
from tests.support.finished_portraits import ONE, STEPS, edits, made
from tests.support.orchestra import Orchestra


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
