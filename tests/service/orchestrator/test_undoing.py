"""Steps of the stage FUSE that do harm are undone, and only those."""

import io
from typing import Any

import numpy as np
from likeness.common.v1 import image_pb2
from likeness.fusion.v1 import fusion_pb2
from PIL import Image

from tests.support.fake_services.pictures import DRAWN_LIKENESS, FUSED_LIKENESS, picture
from tests.support.finished_portraits import STEPS, edits, made
from tests.support.orchestra import Orchestra


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
