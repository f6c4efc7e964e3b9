"""Photographs in, characters out: which part is taken, and what is said where none can be."""

from types import SimpleNamespace

import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb

from loadtests.starter.looks import Look
from loadtests.starter.methods import TEXT
from loadtests.starter.photographs import Photograph, Section, around
from loadtests.starter.scale import Scale
from shared.images import decode_image

EMBEDDING = image_pb2.Embedding(values=[1.0, 0.0])


def face(x0=40, width=20) -> face_pb2.Face:
    box = image_pb2.Box(x0=x0, y0=30, x1=x0 + width, y1=30 + width)
    return face_pb2.Face(box=box, embedding=EMBEDDING, comparison_embedding=EMBEDDING)


def photo(height=100, width=120):
    return np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)


def test_the_part_is_a_square_around_the_face_within_the_picture():
    rgb = photo()

    # The face's middle is at (50, 40): a square of 60 px begins at (20, 10).
    assert np.array_equal(around(rgb, face(), 3.0), rgb[10:70, 20:80])
    assert np.array_equal(around(rgb, face(x0=0), 3.0), rgb[10:70, 0:60])
    assert around(rgb, face(), 30.0).shape == (100, 100, 3)


class Faces:
    """Sees a second face in anything wider than a crop."""

    def __init__(self, accepted=True):
        self._accepted = accepted

    def Analyze(self, request, timeout):
        is_whole = decode_image(request.images[0].data, name="x").shape[1] > 100
        faces = [face(), face(x0=90, width=9)] if is_whole else [face(x0=20)]
        return analysis_pb.AnalyzeResponse(images=[analysis_pb.AnalyzedImage(faces=faces)])

    def CuratePhotos(self, request, timeout):
        width = decode_image(request.photos[0].data, name="x").shape[1]
        refusal = [] if self._accepted else [face_analysis_refusal()]
        curated = analysis_pb.CuratedPhoto(is_accepted=self._accepted, face=face(), refusals=refusal)
        attributes = [
            face_pb2.FaceAttribute(name="sex", value="female", confidence=0.9),
            face_pb2.FaceAttribute(name="hair_color", value="grey", confidence=0.2),
            face_pb2.FaceAttribute(name="age", value=f"{width}", confidence=0.9),
        ]
        return analysis_pb.CuratePhotosResponse(photos=[curated], attributes=attributes)


def face_analysis_refusal():
    return face_pb2.Refusal(reason="FACE_TOO_BLURRED", message="photo 1 is blurred; take another.")


class Drawings:
    def __init__(self, folder):
        self.model, self.requests, self._folder = pb.Model(name="starter"), [], folder

    def draw(self, requests):
        self.requests += requests

    def file(self, request):
        path = self._folder / f"{request.seed}.png"
        path.write_bytes(b"picture")
        return path


@pytest.fixture
def section(tmp_path):
    def make(faces):
        drawings = Drawings(tmp_path)
        eye = SimpleNamespace(look=lambda pictures: [Look(1, None, {}, (), None) for _ in pictures])
        rng = np.random.default_rng(0)
        renders = [Look(1, None, {}, (), None, (), tuple(v), tuple(v)) for v in rng.normal(size=(9, 2))]
        scale = Scale(image_count=2)
        return Section(SimpleNamespace(faces=faces), drawings, eye, scale, renders, tmp_path), drawings

    return make


def test_a_photograph_with_a_second_face_is_cropped_to_the_largest(section):
    made, drawings = section(Faces())

    shown = made.show(Photograph("A person", "public domain", photo))

    # 60 px of 120 went to the services, three widths of the face; what they read goes into the prompt.
    assert shown.read["age"] == "60"
    assert shown.prompt.startswith("portrait of a 60 woman, neutral expression")
    assert "grey hair" not in shown.prompt
    assert set(shown.portraits) == {"IP-Adapter from step 0", "late injection"}
    assert TEXT.title not in shown.portraits
    assert [len(request.identity.embeddings) for request in drawings.requests] == [1] * 4
    assert set(shown.gaps) == {"given to the generator", "after the metric of the gates"}
    assert shown.picture.name == "photo-a-person.png"


def test_a_refused_photograph_says_why(section):
    made, drawings = section(Faces(accepted=False))

    shown = made.show(Photograph("A person", "public domain", photo))

    assert shown.problem == "photo 1 is blurred; take another."
    assert drawings.requests == []
    assert shown.as_json()["portraits"] == {}


def test_a_missing_package_is_named_with_its_remedy(section):
    def load():
        raise ImportError("no such module")

    shown = section(Faces())[0].show(Photograph("A person", "public domain", load, "scikit-image"))

    assert shown.problem == "scikit-image is not installed: pip install 'likeness[eval]'"
    assert shown.picture is None
