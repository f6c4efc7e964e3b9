"""Fuse with several people in one picture, over the real transport."""

import grpc
import numpy as np
import pytest
from likeness.fusion.v1 import fusion_pb2 as pb

from shared.errors import ErrorReason
from tests.support.drawn_head import draw_head, head_pose, shifted
from tests.support.face_wire import faced_message
from tests.support.fusion_wire import pixels
from tests.support.refused_calls import refused

GREEN, BLUE = (30, 160, 60), (40, 60, 190)


@pytest.fixture
def group():
    """Three heads side by side, each 256 px; the middle one listed first, as the largest would be."""
    drawn = [
        draw_head(pose=head_pose(yaw_deg=yaw, scale_px=46), iris=(90, 90, 90), skin=skin)
        for yaw, skin in ((8, (190, 150, 130)), (0, (150, 110, 85)), (-8, (225, 185, 160)))
    ]
    image = np.hstack([head[0] for head in drawn])
    faces = [shifted(head[1], 256 * k, 0) for k, head in enumerate(drawn)]
    return image, [faces[1], faces[0], faces[2]]


def template(iris, **how):
    return faced_message(*draw_head(iris=iris, **how))


def eyes(image, face):
    """Mean colour of both irises."""
    spots = [image[round(float(y)), round(float(x))] for x, y in face.landmarks5[:2]]
    return np.mean(spots, axis=0)


def answer_of(response):
    return pixels(response.image).astype(int)


async def test_each_face_becomes_its_own_person_by_position_and_by_name(stub, group):
    image, faces = group
    candidate = faced_message(image, *faces, name="group.png", face_names=["", "", "bruno"])
    people = [
        pb.FusedPerson(name="ada", face_position=0, templates=[template(GREEN)]),
        pb.FusedPerson(name="bruno", templates=[template(BLUE)]),
    ]

    response = await stub.Fuse(pb.FuseRequest(candidate=candidate, people=people))
    after = answer_of(response)

    left, right = eyes(after, faces[1]), eyes(after, faces[2])
    assert left.argmax() == 1 and left[1] > left[2] + 40
    assert right.argmax() == 2 and right[2] > right[1] + 40
    assert [(face.name, face.face_position) for face in response.faces] == [("ada", 0), ("bruno", 2)]
    assert response.backend == "opencv"
    for face in response.faces:
        assert 0 < face.template_score <= 1 and face.mask_share > 0 and face.warp == pb.WARP_POSED


async def test_face_that_nobody_claims_stays_bit_for_bit(stub, group):
    image, faces = group
    candidate = faced_message(image, *faces)
    people = [
        pb.FusedPerson(name="ada", face_position=0, templates=[template(GREEN)]),
        pb.FusedPerson(name="bruno", face_position=2, templates=[template(BLUE)]),
    ]

    response = await stub.Fuse(pb.FuseRequest(candidate=candidate, people=people))
    after = answer_of(response)

    assert (after[:, 256:512] == image[:, 256:512]).all()
    changed = (after != image).any(-1)
    for face in response.faces:
        box = face.changed_box
        assert changed[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)].any()
        changed[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = False
    assert not changed.any()


async def test_one_face_of_several_is_fused_by_position(stub, group):
    image, faces = group
    candidate = faced_message(image, *faces, face_position=1)

    response = await stub.Fuse(pb.FuseRequest(candidate=candidate, templates=[template(GREEN)]))

    after = answer_of(response)
    assert eyes(after, faces[0]).argmax() == 1
    assert (after[:, :256] == image[:, :256]).all() and (after[:, 512:] == image[:, 512:]).all()
    assert (response.faces[0].name, response.faces[0].face_position) == ("", 1)


def ada(**how):
    return pb.FusedPerson(name="ada", **{"templates": [template(GREEN)], **how})


@pytest.mark.parametrize(
    ("people", "reason", "text"),
    [
        ([ada(face_position=3)], ErrorReason.FACE_NOT_IN_PICTURE, "face 3"),
        ([ada()], ErrorReason.FACE_NOT_IN_PICTURE, "face named ada"),
        ([ada(face_position=0), ada(face_position=1)], ErrorReason.FIELD_INVALID, "ada is given twice"),
        (
            [ada(face_position=1), pb.FusedPerson(name="b", face_position=1, templates=[template(BLUE)])],
            ErrorReason.FIELD_INVALID,
            "ada and b claim the same face",
        ),
        ([ada(face_position=0, templates=[])], ErrorReason.FIELD_INVALID, "templates"),
    ],
)
async def test_claims_that_make_no_sense_are_typed_errors(stub, group, people, reason, text):
    candidate = faced_message(group[0], *group[1], face_names=["x", "y", "z"])

    code, error = await refused(stub.Fuse(pb.FuseRequest(candidate=candidate, people=people)))

    assert (grpc.StatusCode.INVALID_ARGUMENT, reason) == (code, error.reason)
    assert text in error.message


async def test_people_and_templates_together_are_refused(stub, group):
    request = pb.FuseRequest(
        candidate=faced_message(group[0], *group[1]),
        people=[ada(face_position=0)],
        templates=[template(BLUE)],
    )

    _, error = await refused(stub.Fuse(request))

    assert (error.reason, error.metadata["field"]) == (ErrorReason.FIELD_INVALID, "templates")


async def test_only_the_chosen_template_is_read(stub):
    """A photo that is no picture does no harm as long as another is chosen."""
    candidate = faced_message(*draw_head())
    broken = template(BLUE, pose=head_pose(yaw_deg=40))
    broken.image.data = b"no picture"

    response = await stub.Fuse(pb.FuseRequest(candidate=candidate, templates=[broken, template(GREEN)]))

    assert response.template_index == 1


async def test_face_that_hair_hides_wholly_is_refused_not_passed_through(stub):
    image, face = draw_head()
    face.parts.labels[:] = face.parts.names.index("hair")
    request = pb.FuseRequest(candidate=faced_message(image, face, name="c.png"), templates=[template(GREEN)])

    code, error = await refused(stub.Fuse(request))

    assert (code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, ErrorReason.PICTURE_DEFECT)
    assert error.metadata["image"] == "c.png"
