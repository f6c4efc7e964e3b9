"""Where the evaluation's pictures and its judge come from."""

import io
import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from loadtests.common import judge
from loadtests.common.judge import HeldOutEmbedder, StandIn, crop_matrix, open_judge, similarities, unit
from loadtests.common.services import Seen, Services
from loadtests.fusion.candidates import Generator
from loadtests.fusion.enhancing import psnr
from loadtests.fusion.people import Person, photos_of
from loadtests.fusion.person import known_results, write_json
from loadtests.fusion.scale import Scale
from services.orchestrator.domain.styles import Style

SIDE = 8


def png(colour) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(out, "PNG")
    return out.getvalue()


def with_face(data: bytes, count: int = 1) -> Seen:
    face = face_pb2.Face(
        box=image_pb2.Box(x0=8, y0=8, x1=24, y1=24), embedding=image_pb2.Embedding(values=[3, 4])
    )
    return Seen(data, (face,) * count)


@pytest.fixture
def embedder(tmp_path):
    """A net that sums the left half of each channel: a mirror image gives other numbers."""
    kernel = np.zeros((3, 3, SIDE, SIDE), np.float32)
    for channel in range(3):
        kernel[channel, channel, :, : SIDE // 2] = 1
    conv = helper.make_node("Conv", ["image", "kernel"], ["map"])
    flat = helper.make_node("Flatten", ["map"], ["embedding"])
    shape, out = ["n", 3, SIDE, SIDE], ["n", 3]
    graph = helper.make_graph(
        [conv, flat],
        "embedder",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "embedder.onnx")
    card = {"crop": {"box_scale": 1.25, "size_px": SIDE}}
    (tmp_path / "embedder.json").write_text(json.dumps(card))
    return tmp_path


def test_the_judge_embeds_the_only_face_and_its_mirror_image(embedder):
    held_out = HeldOutEmbedder(embedder)
    picture = Image.new("RGB", (32, 32), "red")
    picture.paste("blue", (16, 0, 32, 32))
    out = io.BytesIO()
    picture.save(out, "PNG")

    found = held_out.embed(with_face(out.getvalue()))

    # The left half is red, that of the mirror image blue: both count alike.
    assert found == pytest.approx([2**-0.5, 0, 2**-0.5], abs=0.05)
    assert not held_out.takes_part
    assert held_out.embed(with_face(png("red"), count=2)) is None


def test_the_crop_follows_the_landmarks_and_not_the_box_that_jumps():
    ring = [
        (50 + 10 * np.cos(a), 60 + 10 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 106, endpoint=False)
    ]
    points = [image_pb2.Point(x=x, y=y) for x, y in ring]
    dense = face_pb2.DenseLandmarks(scheme="likeness-106", points=points)
    face = face_pb2.Face(box=image_pb2.Box(x0=8, y0=8, x1=24, y1=24), dense_landmarks=dense)
    other = face_pb2.Face(box=image_pb2.Box(x0=0, y0=0, x1=9, y1=9), dense_landmarks=dense)

    steady = crop_matrix(face, 100, 1.0)

    assert steady == pytest.approx(crop_matrix(other, 100, 1.0))
    assert steady @ [50, 62, 1] == pytest.approx([50, 50])
    assert steady[0, 0] == pytest.approx(100 / 25.1)
    dense.scheme = "another"
    boxed = crop_matrix(face_pb2.Face(box=face.box, dense_landmarks=dense), 100, 1.25)
    assert boxed @ [16, 16, 1] == pytest.approx([50, 50])
    assert boxed[0, 0] == pytest.approx(100 / 20)


def test_without_the_net_the_services_own_embedder_stands_in_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(judge, "EMBEDDER", tmp_path)

    stand_in = open_judge(None)

    assert isinstance(stand_in, StandIn)
    assert stand_in.takes_part
    assert stand_in.embed(with_face(b"")) == pytest.approx([0.6, 0.8])
    with pytest.raises(FileNotFoundError):
        open_judge(tmp_path)


def test_similarity_is_the_mean_and_the_best_over_references():
    references = [unit(np.array([1.0, 0])), unit(np.array([0, 1.0]))]

    assert similarities(unit(np.array([1.0, 0])), references) == (0.5, 1.0)
    assert similarities(None, references) is None
    with pytest.raises(ValueError, match="length 0"):
        unit(np.zeros(2))


def test_psnr_of_equal_pictures_is_a_number():
    image = np.full((4, 4, 3), 7, np.uint8)

    assert psnr(image, image) == 100.0
    assert psnr(image, image + 1) == pytest.approx(48.13, abs=0.01)


class FakeFaces:
    def CuratePhotos(self, request, timeout):
        photos = [
            analysis_pb.CuratedPhoto(is_accepted=photo.data != b"blurred", face=with_face(photo.data).only)
            for photo in request.photos
        ]
        hair = face_pb2.FaceAttribute(name="hair_color", value="red", confidence=0.9)
        eyes = face_pb2.FaceAttribute(name="eye_color", value="blue", confidence=0.1)
        return analysis_pb.CuratePhotosResponse(photos=photos, attributes=[hair, eyes])


class FakeDiffusion:
    def __init__(self, digest: str = "v1") -> None:
        self.digest, self.requests = digest, []

    def ListModels(self, request, timeout):
        model = pb.Model(name="m", digest=self.digest, is_default=True, supports_identity=True)
        return pb.ListModelsResponse(models=[model])

    def Generate(self, request, timeout):
        self.requests.append(request)
        yield pb.GenerateResponse(step=pb.StepDone(step=1, step_count=1))
        data = f"{self.digest} {request.seed}".encode()
        yield pb.GenerateResponse(image=pb.GeneratedImage(image=image_pb2.Image(data=data)))


@pytest.fixture
def person(tmp_path):
    samples = []
    for name in ("sharp", "blurred"):
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(name.encode())
        samples.append(SimpleNamespace(image=path))
    return Person(7, tuple(samples), ())


STYLE = Style(
    schema_version=1, name="plain", version=1, title="t", description="", licence="x",
    prompt="portrait of a {person}, {hair}, {eyes}",
)  # fmt: skip


def test_candidates_are_asked_for_as_the_orchestrator_does_and_kept(person, tmp_path):
    scale = Scale(candidate_count=3, work=tmp_path / "work")
    diffusion = FakeDiffusion()
    generator = Generator(Services(FakeFaces(), diffusion, None), scale, STYLE)

    made = generator.make(person)
    again = generator.make(person)

    first = made.candidates
    assert [one.index for one in first] == [0, 1, 2]
    assert len({one.seed for one in first}) == 3
    assert [one.data for one in first] == [f"v1 {one.seed}".encode() for one in first]
    assert again == made
    assert made.prompt == "portrait of a person, red hair"
    assert len(diffusion.requests) == 3
    request = diffusion.requests[0]
    assert request.prompt == "portrait of a person, red hair"
    assert len(request.identity.embeddings) == 1


def test_another_model_makes_other_candidates(person, tmp_path):
    scale = Scale(candidate_count=2, work=tmp_path / "work")
    pictures = [
        Generator(Services(FakeFaces(), FakeDiffusion(digest), None), scale, STYLE).make(person)
        for digest in ("v1", "v2")
    ]

    assert pictures[0].candidates[0].data != pictures[1].candidates[0].data


def test_renders_without_held_out_people_are_refused(tmp_path):
    record = {
        "identity": 5, "view": 0, "file": "0.jpg", "parts": "0.png", "attributes": {},
        "expression": "neutral", "yaw": 0, "background": "grey", "clothes": {}, "landmarks_px": {},
        "box_px": [0, 0, 9, 9],
        "embedding": [1.0],
    }  # fmt: skip
    (tmp_path / "manifest-0.jsonl").write_text(json.dumps(record) + "\n")

    with pytest.raises(ValueError, match="has 0 characters from number 100000 on"):
        photos_of(Scale(people=2, data=tmp_path))


def test_results_of_another_setup_do_not_count(tmp_path):
    scale = Scale(work=tmp_path)
    for number, setup in ((1, {"judge": "a"}), (2, {"judge": "b"})):
        folder = scale.person_folder(number)
        folder.mkdir(parents=True)
        write_json(folder / "result.json", {"number": number, "setup": setup})

    assert list(known_results(scale, [1, 2, 3], {"judge": "a"})) == [1]
