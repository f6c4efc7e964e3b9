"""Fusion between messages and the domain."""

import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion import wire_fuse
from services.fusion.domain.fusing import DEFAULT_WARP, BlendMode, FuseOptions, RegionWeights, WarpMode
from services.fusion.domain.template_choice import Choice
from services.fusion.engine.fuse import Fused, FusedFace
from shared.errors.common import FieldInvalid


async def read(message, name):
    return np.full((2, 2, 3), len(message.data), np.uint8)


def faced(name="", **how):
    return pb.FacedImage(image=image_pb2.Image(data=b"png", name=name), faces=[face_pb2.Face()], **how)


def test_defaults_of_fusion_are_those_that_the_proto_states():
    options = wire_fuse.options_from_proto(pb.FuseRequest())

    assert (1.0, RegionWeights(1, 0.6, 0)) == (options.strength, options.weights)
    assert (options.blend, options.warp) == (BlendMode.PYRAMID, DEFAULT_WARP)


def test_explicit_zero_weight_is_not_the_default():
    request = pb.FuseRequest(region_weights=pb.RegionWeights(skin=0.0, lips=1.0))

    assert RegionWeights(1, 0, 1) == wire_fuse.options_from_proto(request).weights


def test_weights_that_leave_nothing_are_refused():
    request = pb.FuseRequest(region_weights=pb.RegionWeights(eyes=0.0, skin=0.0))

    with pytest.raises(FieldInvalid, match="nothing would be fused"):
        wire_fuse.options_from_proto(request)


@pytest.mark.parametrize("blending", [v for v in pb.Blending.values()])
@pytest.mark.parametrize("warp", [v for v in pb.Warp.values()])
def test_every_enum_value_has_a_meaning(blending, warp):
    assert wire_fuse.options_from_proto(pb.FuseRequest(blending=blending, warp=warp))


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (pb.FuseRequest(candidate=faced()), "templates or people are needed"),
        (
            pb.FuseRequest(
                candidate=faced(),
                templates=[faced()],
                people=[pb.FusedPerson(name="ada", templates=[faced()])],
            ),
            "give either",
        ),
        (
            pb.FuseRequest(
                candidate=faced(face_position=0), people=[pb.FusedPerson(name="ada", templates=[faced()])]
            ),
            "a position of its own",
        ),
    ],
)
def test_exactly_one_way_of_naming_the_people_is_taken(request_, text):
    with pytest.raises(FieldInvalid, match=text):
        wire_fuse.people_from_proto(request_, read)


async def test_templates_are_one_nameless_person_whose_pictures_are_read_on_demand():
    request = pb.FuseRequest(candidate=faced(face_position=1), templates=[faced(), faced(name="b.png")])

    (person,) = wire_fuse.people_from_proto(request, read)

    assert (person.name, person.position) == ("", 1)
    assert [t.found.name for t in person.templates] == ["template 1", "b.png"]
    assert (await person.templates[1].read()).max() == 3


def test_people_keep_names_positions_and_their_own_templates():
    people = [
        pb.FusedPerson(name="ada", face_position=1, templates=[faced(face_names=["ada"])]),
        pb.FusedPerson(name="bruno", templates=[faced(face_position=2)]),
    ]
    request = pb.FuseRequest(candidate=faced(face_names=["bruno"]), people=people)

    ada, bruno = wire_fuse.people_from_proto(request, read)

    assert (ada.name, ada.position, bruno.name, bruno.position) == ("ada", 1, "bruno", None)
    assert (ada.templates[0].found.names, bruno.templates[0].position) == (("ada",), 2)
    assert wire_fuse.candidate_from_proto(request.candidate).names == ("bruno",)


@pytest.mark.parametrize("mode", WarpMode)
def test_answer_tells_what_was_done_to_each_face(mode):
    faces = [
        FusedFace(name, position, Choice(2, 0.5, 0.75, 0.25), 0.125, mode, np.eye(2, 3), (1, 2, 3, 4))
        for position, name in enumerate(("ada", "bruno"))
    ]
    fused = Fused(np.zeros((4, 4, 3), np.uint8), tuple(faces), (0, 0, 4, 4), FuseOptions(0.5), "opencv")

    answer = wire_fuse.fused_to_proto(fused, image_pb2.Image(data=b"x"))

    assert [face.name for face in answer.faces] == ["ada", "bruno"]
    one = answer.faces[1]
    assert (one.face_position, one.template_index, one.template_score) == (1, 2, 0.5)
    assert (one.pose_similarity, one.expression_similarity, one.mask_share) == (0.75, 0.25, 0.125)
    assert pb.Warp.Name(one.warp) == f"WARP_{mode.name}"
    assert (list(one.transform), one.changed_box.x1) == ([1, 0, 0, 0, 1, 0], 3)
    assert (answer.template_index, answer.strength, answer.changed_box.x1) == (2, 0.5, 4)
    assert (answer.mask_share, answer.pose_similarity, answer.backend) == (0.125, 0.75, "opencv")
