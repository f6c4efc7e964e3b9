"""Fuse with one person in each picture: what comes back, and what is refused."""

import io

import grpc
import numpy as np
import pytest
from likeness.fusion.v1 import fusion_pb2 as pb
from PIL import Image as PillowImage

from shared.errors import ErrorReason
from tests.support.drawn_face import draw_face
from tests.support.fusion_wire import faced, pixels
from tests.support.refused_calls import refused


async def test_fuse_answers_with_a_picture_of_the_candidates_size_and_says_what_it_did(stub):
    request = pb.FuseRequest(
        candidate=faced(), templates=[faced(skin=(120, 90, 70)), faced(skin=(230, 190, 160))]
    )

    answer = await stub.Fuse(request)

    before, after = pixels(request.candidate.image), pixels(answer.image)
    assert before.shape == after.shape and (before != after).any()
    assert answer.template_index in (0, 1) and answer.strength == 1.0
    assert 0 < answer.mask_share < 1
    assert pytest.approx(answer.pose_similarity) == 1
    assert pytest.approx(list(answer.transform), abs=1e-3) == [1, 0, 0, 0, 1, 0]
    box = answer.changed_box
    rows, columns = np.nonzero((before != after).any(-1))
    assert (box.x0, box.x1) == (columns.min(), columns.max() + 1)
    assert (box.y0, box.y1) == (rows.min(), rows.max() + 1)


async def test_same_request_gives_the_same_bytes(stub):
    request = pb.FuseRequest(candidate=faced(), templates=[faced(angle_deg=9)])

    assert (await stub.Fuse(request)).image.data == (await stub.Fuse(request)).image.data


@pytest.mark.parametrize("role", ["candidate", "template"])
@pytest.mark.parametrize(
    ("faces", "reason"), [(0, ErrorReason.NO_FACE_FOUND), (2, ErrorReason.SEVERAL_FACES)]
)
async def test_fuse_never_passes_a_candidate_through(stub, role, faces, reason):
    pictures = {"candidate": faced("c.png"), "template": faced("t.png")}
    pictures[role] = faced("bad.png", faces)

    code, error = await refused(
        stub.Fuse(pb.FuseRequest(candidate=pictures["candidate"], templates=[pictures["template"]]))
    )

    assert (grpc.StatusCode.INVALID_ARGUMENT, reason) == (code, error.reason)
    assert error.metadata["image"] == "bad.png"


def encoded(kind):
    file = io.BytesIO()
    PillowImage.fromarray(draw_face()[0]).save(file, format=kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"this is no picture", ErrorReason.IMAGE_UNREADABLE),
        (encoded("JPEG")[:3000], ErrorReason.IMAGE_TRUNCATED),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, ErrorReason.IMAGE_FORMAT_UNSUPPORTED),
    ],
)
async def test_picture_that_cannot_be_read_is_named(stub, data, reason):
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    request.templates[0].image.data = data

    code, error = await refused(stub.Fuse(request))

    assert (grpc.StatusCode.INVALID_ARGUMENT, reason) == (code, error.reason)
    assert error.metadata["image"] == "template 1"


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.ClearField("candidate"),
        lambda r: r.ClearField("templates"),
        lambda r: r.candidate.image.Clear(),
        lambda r: setattr(r, "strength", 0.0),
        lambda r: setattr(r, "strength", 1.5),
        lambda r: setattr(r, "blending", 77),
        lambda r: setattr(r.region_weights, "skin", -0.1),
    ],
)
async def test_rules_of_the_proto_are_checked(stub, change):
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    change(request)

    code, error = await refused(stub.Fuse(request))

    assert (code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, ErrorReason.FIELD_INVALID)
    assert error.metadata["field"]


async def test_eyes_outside_of_the_picture_are_refused(stub):
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    request.candidate.faces[0].landmarks.left_eye.x = 4000

    _, error = await refused(stub.Fuse(request))

    assert error.reason == ErrorReason.FIELD_INVALID
