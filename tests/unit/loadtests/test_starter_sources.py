"""Where portraits come from, and what is read off pictures."""

import dataclasses
import io
import json
from types import SimpleNamespace

import cv2
import numpy as np
import onnx
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from loadtests.common.services import Seen
from loadtests.starter import options
from loadtests.starter.looks import MASK_PX, Eye, Look, head_mask
from loadtests.starter.methods import LATE, METHODS, TEXT, chosen
from loadtests.starter.nets import PortraitNet, open_features, open_scene
from loadtests.starter.people import Character, Person, strangers_of, template_of
from loadtests.starter.portraits import Slot, request_of, seed_of, slots_of
from loadtests.starter.prompts import EDITS, FIXED
from loadtests.starter.scale import WEIGHTS, Scale
from loadtests.starter.training import order

SIDE = 4


def png(colour, side=32) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "PNG")
    return out.getvalue()


def trait_net(folder, name, gemm=True):
    """Features are the mean colour; the list "colour" reads which channel is the strongest."""
    pool = helper.make_node("GlobalAveragePool", ["image"], ["pooled"])
    flat = helper.make_node("Flatten", ["pooled"], ["mixed"])
    last = (
        [helper.make_node("Gemm", ["mixed", "weight"], ["colour"])]
        if gemm
        else [
            helper.make_node("MatMul", ["mixed", "weight"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["colour"]),
        ]
    )
    graph = helper.make_graph(
        [pool, flat, *last],
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("colour", TensorProto.FLOAT, ["n", 3])],
        [
            numpy_helper.from_array(np.eye(3, dtype=np.float32), "weight"),
            numpy_helper.from_array(np.zeros(3, np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / f"{name}.onnx")
    card = {"crop": {"size_px": SIDE}, "labels": {"colour": ["red", "green", "blue"]}}
    (folder / f"{name}.json").write_text(json.dumps(card))


@pytest.mark.parametrize("gemm", [True, False])
def test_a_net_gives_its_words_and_what_its_last_layer_multiplies(tmp_path, gemm):
    trait_net(tmp_path, "scene", gemm)

    words, features = PortraitNet(tmp_path, "scene").read(np.full((32, 32, 3), (51, 255, 102), np.uint8))

    assert words == {"colour": "green"}
    assert features == pytest.approx([0.2, 1.0, 0.4], abs=1e-3)


def test_a_net_without_a_linear_end_is_refused(tmp_path):
    trait_net(tmp_path, "scene")
    model = onnx.load(tmp_path / "scene.onnx")
    model.graph.node[-1].CopyFrom(helper.make_node("Relu", ["mixed"], ["colour"]))
    onnx.save(model, tmp_path / "scene.onnx")

    with pytest.raises(ValueError, match="not linear"):
        PortraitNet(tmp_path, "scene")


def test_features_are_the_scene_nets_where_there_is_one(tmp_path):
    trait_net(tmp_path / "attributes", "attributes")
    assert open_scene(tmp_path) is None
    assert open_features(tmp_path).name == "attributes"

    trait_net(tmp_path / "scene", "scene")
    assert open_features(tmp_path).name == "scene"


def face(**fields) -> face_pb2.Face:
    labels = np.array([[0, 1], [2, 3]], np.uint8)
    part_map = face_pb2.PartMap(
        image=image_pb2.Image(data=cv2.imencode(".png", labels)[1].tobytes()),
        box=image_pb2.Box(x0=0, y0=0, x1=16, y1=16),
        parts=["background", "hair", "clothes", "skin"],
    )
    embedding = image_pb2.Embedding(values=[3, 4])
    known = {"part_map": part_map, "embedding": embedding, "comparison_embedding": embedding, **fields}
    return face_pb2.Face(**known)


def test_the_mask_shows_head_and_hair_where_they_are_in_the_picture():
    mask = head_mask(face(), 32)

    quarter = MASK_PX // 4
    assert mask[:quarter, quarter : 2 * quarter].all()  # hair
    assert mask[quarter : 2 * quarter, quarter : 2 * quarter].all()  # skin
    assert mask.sum() == 2 * quarter**2
    assert head_mask(face_pb2.Face(), 32) is None


class FakeReader:
    def __init__(self, faces):
        self.backend = SimpleNamespace(models=[])
        self.calls = 0
        self._faces = faces

    def read(self, pictures):
        self.calls += len(pictures)
        return [Seen(data, self._faces) for data in pictures]

    def forget(self):
        pass


@pytest.fixture
def net(tmp_path):
    trait_net(tmp_path / "scene", "scene")
    return PortraitNet(tmp_path / "scene", "scene")


JUDGE = SimpleNamespace(
    name="judge", embed=lambda seen: np.array([0.6, 0.8]) if seen.only is not None else None
)


def test_what_was_read_is_kept_on_disk(tmp_path, net):
    attribute = face_pb2.FaceAttribute(name="sex", value="female", confidence=0.9)
    reader = FakeReader((face(attributes=[attribute]), face_pb2.Face()))
    first = Eye(reader, JUDGE, net, net, tmp_path / "looks").look([png("red"), png("blue"), png("red")])

    again = FakeReader(())
    second = Eye(again, JUDGE, net, net, tmp_path / "looks").look([png("blue"), png("red")])

    assert reader.calls == 2
    assert again.calls == 0
    assert second == [first[1], first[0]]
    assert first[0].words == {"colour": "red", "sex": "female"}
    assert (first[0].faces, first[0].embedding, first[0].identity) == (2, (0.6, 0.8), (3, 4))
    assert first[0].mask().sum() == 2 * (MASK_PX // 4) ** 2


def test_another_judge_reads_anew(tmp_path, net):
    Eye(FakeReader((face(),)), JUDGE, net, net, tmp_path).look([png("red")])
    other = SimpleNamespace(name="another", embed=JUDGE.embed)
    reader = FakeReader(())

    [look] = Eye(reader, other, net, net, tmp_path).look([png("red")])

    assert reader.calls == 1
    assert (look.faces, look.embedding, look.words, look.mask()) == (0, None, {"colour": "red"}, None)


def character(number, band=("female", "young"), template=(1.0, 0.0)):
    known = None if template is None else np.array(template)
    return Character(number, band, (), (), 1, known)


def test_strangers_are_of_the_same_sex_and_age_band():
    everybody = [
        character(1),
        character(2, template=(0.0, 1.0)),
        character(3, ("male", "young")),
        character(4, template=None),
    ]

    assert [list(one) for one in strangers_of(everybody[0], everybody)] == [[0, 1]]


def test_a_template_is_the_unit_mean_of_the_photos_with_a_face():
    looks = [
        Look(1, (1.0, 0.0), {}, (), None),
        Look(0, None, {}, (), None),
        Look(1, (0.0, 1.0), {}, (), None),
    ]

    assert template_of(looks) == pytest.approx([2**-0.5, 2**-0.5])
    assert template_of(looks[1:2]) is None


@pytest.fixture
def person():
    embedding = image_pb2.Embedding(values=[1, 2])
    seen = face_pb2.Face(embedding=embedding, landmarks=face_pb2.FaceLandmarks())
    return Person(character(7), (seen, seen), (b"one", b"two"), {"sex": "female", "hair_color": "red"})


def test_methods_differ_in_the_person_alone(person):
    requests = {
        method.key: request_of(Slot(method, EDITS[0], 1), person, "starter", image_pb2.ArtifactRef(uri="a"))
        for method in METHODS
    }

    assert {(r.prompt, r.seed, r.step_count, r.guidance_scale, r.sampler) for r in requests.values()} == {
        (f"portrait of a young woman, {EDITS[0].words}", seed_of(EDITS[0], 1), 20, 3.0, "dpmpp_2m")
    }
    assert not requests["text"].HasField("identity")
    assert len(requests["ip_adapter"].identity.embeddings) == 2
    assert not requests["ip_adapter"].HasField("late_injection")
    assert requests["late"].late_injection.start_share == pytest.approx(0.2)
    assert requests["lora"].adapters[0].artifact.uri == "a"
    with pytest.raises(ValueError, match="needs an adapter"):
        request_of(Slot(METHODS[-1], FIXED, 0), person, "starter")


def test_seeds_differ_by_prompt_and_picture_only():
    seeds = {seed_of(prompt, index) for prompt in (FIXED, *EDITS) for index in range(4)}

    assert len(seeds) == 84
    assert seed_of(FIXED, 0) == seed_of(dataclasses.replace(FIXED, words="other words"), 0)


def test_without_an_adapter_its_methods_are_left_out():
    scale = Scale(edits=EDITS[:2], image_count=2)

    keys = {slot.method.key for slot in slots_of(scale, is_trained=False)}

    assert keys == {"text", "ip_adapter", "late"}
    assert len(list(slots_of(scale, is_trained=True))) == len(METHODS) * 3 * 2


def test_the_same_order_has_the_same_request_id(person):
    first, second = order(person, "digest"), order(person, "digest")

    assert first.request_id == second.request_id
    assert len(first.request_id) <= 64
    assert order(person, "another").request_id != first.request_id
    assert (
        order(dataclasses.replace(person, photos=(b"one", b"three")), "digest").request_id != first.request_id
    )
    assert first.caption == "portrait of a woman, red hair"
    assert [photo.image.data for photo in first.photos] == [b"one", b"two"]


def test_text_to_image_always_takes_part():
    assert chosen("late") == (TEXT, LATE)
    assert chosen(None) == METHODS
    with pytest.raises(ValueError, match="pulid is unknown; known: ip_adapter"):
        chosen("late,pulid")


def parsed(*words):
    return options.parser_of("what it does").parse_args(words)


def test_options_say_how_much():
    scale = options.scale_of(
        parsed("--quick", "--identities", "5", "--prompts", "cap,sad", "--methods", "late")
    )

    assert (scale.people, scale.trained, scale.image_count) == (5, 0, 2)
    assert [prompt.name for prompt in scale.edits] == ["cap", "sad"]
    assert scale.methods == (TEXT, LATE)
    assert options.scale_of(parsed()) == Scale()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--identities", "1"], "from 2"),
        (["--trained", "-1"], "0 or more"),
        (["--weights", "/nowhere"], "holds no pack"),
    ],
)
def test_what_makes_no_sense_is_refused(words, why):
    with pytest.raises(ValueError, match=why):
        options.scale_of(parsed(*words))


def test_the_command_is_what_a_reader_types():
    assert options.command_of(parsed()) == "python -m loadtests.starter"
    words = [
        "--identities",
        "3",
        "--prompts",
        "red hair,sad",
        "--data",
        "/somewhere/private",
        "--work",
        "/elsewhere",
    ]
    assert (
        options.command_of(parsed(*words))
        == "python -m loadtests.starter --identities 3 --prompts 'red hair,sad' --data FOLDER"
    )


def test_another_pack_is_served_with_the_nets_it_has(tmp_path):
    (tmp_path / "attributes").mkdir()

    told = options.environment_of(tmp_path)

    assert json.loads(told["LIKENESS_DIFFUSION_MODELS"]) == {"starter": str(tmp_path)}
    assert told["LIKENESS_FACE_ANALYSIS_ATTRIBUTES_FOLDER"] == str(tmp_path / "attributes")
    assert "LIKENESS_FACE_ANALYSIS_MARKS_FOLDER" not in told
    assert options.environment_of(WEIGHTS) == {}
