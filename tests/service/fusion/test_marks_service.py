"""RestoreMarks and RestoreTexture over the real transport, with the structure of the faces."""

import cv2
import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb
from likeness.fusion.v1 import fusion_pb2_grpc

from services.fusion.bootstrap import build
from services.fusion.settings import FusionSettings
from shared.errors import ErrorReason
from shared.images import encode_png
from tests.support.fusion_wire import pixels
from tests.support.posed_head import draw_head
from tests.support.refused_calls import refused

MOLE, GONE = (0.55, 0.6, 0.045, 0.55), (-0.95, 0.5, 0.05, 0.5)
FOREHEAD = [(-0.4, -0.75), (-0.2, -0.78), (0.0, -0.79), (0.2, -0.78), (0.4, -0.75)]


@pytest.fixture(params=["opencv", "fake"])
def backend(request):
    return request.param


@pytest.fixture
async def stub(serve, store, backend):
    settings = FusionSettings(worker_count=1, backend=backend)
    return fusion_pb2_grpc.FusionServiceStub(await serve([build(settings, store=store)]))


def message_of(face):
    points = [image_pb2.Point(x=x, y=y) for x, y in face.landmarks5]
    names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    x0, y0, x1, y1 = face.box_px
    message = face_pb2.Face(
        box=image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1),
        landmarks=face_pb2.FaceLandmarks(**dict(zip(names, points, strict=True))),
        has_marks_searched=True,
        attributes=[face_pb2.FaceAttribute(name="age", value="elderly", confidence=0.9)],
    )
    message.dense_landmarks.scheme = "likeness-106"
    message.dense_landmarks.points.extend(image_pb2.Point(x=x, y=y) for x, y in face.dense.points)
    message.dense_landmarks.visibility.extend(face.dense.visibility)
    size = len(face.parts.labels)
    message.part_map.image.data = cv2.imencode(".png", face.parts.labels)[1].tobytes()
    message.part_map.box.CopyFrom(image_pb2.Box(x0=0, y0=0, x1=size, y1=size))
    message.part_map.parts.extend(face.parts.names)
    for mark in face.marks:
        center = image_pb2.Point(x=mark.x_px, y=mark.y_px)
        message.marks.add(kind=mark.kind, center=center, radius_px=mark.radius_px, confidence=mark.confidence)
    return message


def faced(copies=1, **how):
    rgb, face = draw_head(**how)
    return pb.FacedImage(image=image_pb2.Image(data=encode_png(rgb)), faces=[message_of(face)] * copies)


async def test_marks_come_back_where_the_pose_shows_them_and_the_rest_is_explained(stub):
    references = [faced(yaw=y, marks=[MOLE, GONE]) for y in (4, 10)]
    request = pb.RestoreMarksRequest(candidate=faced(yaw=-45), references=references)

    answer = await stub.RestoreMarks(request)

    (mark,), (skip,) = answer.marks, answer.skipped
    before, after = pixels(request.candidate.image), pixels(answer.image)
    x, y = int(mark.center.x), int(mark.center.y)
    assert after[y, x].mean() < 0.9 * before[y, x].mean()
    assert (mark.kind, mark.seen_in) == ("mole", 2) and 0.9 < mark.confidence <= 1
    assert (skip.kind, skip.reason) == ("mole", pb.MARK_SKIP_TURNED_AWAY)


async def test_face_position_tells_whose_marks_are_meant(stub):
    request = pb.RestoreMarksRequest(
        candidate=faced(copies=2), references=[faced(yaw=y, marks=[MOLE]) for y in (4, 10)]
    )

    assert (await refused(stub.RestoreMarks(request)))[1].reason == ErrorReason.SEVERAL_FACES
    request.candidate.face_position = 1
    assert len((await stub.RestoreMarks(request)).marks) == 1
    request.candidate.face_position = 2
    assert (await refused(stub.RestoreMarks(request)))[1].reason == ErrorReason.FACE_NOT_IN_PICTURE


async def test_texture_tells_where_it_is_from_and_how_much_it_is(stub):
    references = [faced(yaw=25), faced(yaw=3, line=FOREHEAD), faced(yaw=-3, line=FOREHEAD)]
    request = pb.RestoreTextureRequest(candidate=faced(yaw=2), references=references)

    answer = await stub.RestoreTexture(request)

    assert answer.reference_index == 1
    assert answer.strength == 1.0
    assert 0 < answer.added_contrast < 20
    assert (pixels(answer.image) != pixels(request.candidate.image)).any()


async def test_texture_of_strength_zero_is_the_candidate(stub):
    request = pb.RestoreTextureRequest(candidate=faced(), references=[faced(line=FOREHEAD)], strength=0.0)

    answer = await stub.RestoreTexture(request)

    assert (pixels(answer.image) == pixels(request.candidate.image)).all()
    assert (answer.strength, answer.added_contrast) == (0, 0)


async def test_texture_without_dense_landmarks_is_refused_with_a_remedy(stub):
    request = pb.RestoreTextureRequest(candidate=faced(), references=[faced()])
    request.references[0].faces[0].ClearField("dense_landmarks")

    _, error = await refused(stub.RestoreTexture(request))

    assert error.reason == ErrorReason.FIELD_INVALID
    assert "structure" in str(error)


async def test_damaged_reference_is_named_even_if_its_pixels_are_not_needed(stub):
    request = pb.RestoreMarksRequest(candidate=faced(), references=[faced(), faced()])
    request.references[1].image.data = b"no picture"

    _, error = await refused(stub.RestoreMarks(request))

    assert error.reason == ErrorReason.IMAGE_UNREADABLE
    assert "reference 2" in str(error)


async def test_equal_requests_have_equal_answers(stub):
    request = pb.RestoreMarksRequest(
        candidate=faced(noise_seed=3), references=[faced(yaw=y, marks=[MOLE], noise_seed=y) for y in (1, 9)]
    )

    first, second = [await stub.RestoreMarks(request) for _ in range(2)]

    assert first == second
    assert np.isfinite([m.confidence for m in first.marks]).all()
