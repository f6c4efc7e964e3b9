"""What is seen in a picture: the mask of the head, the reading of all judges, and what is kept of it."""

import io
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from PIL import Image

from loadtests.common.services import Seen
from loadtests.starter.looks import MASK_PX, Eye, head_mask
from loadtests.starter.nets import PortraitNet, readers_digest
from tests.support.trait_net import trait_net


def png(colour, side=32) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "PNG")
    return out.getvalue()


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


def test_other_nets_behind_the_same_names_read_anew(tmp_path, net):
    weights, own = tmp_path / "weights", tmp_path / "own"
    for folder in (weights / "attributes", weights / "embedder", own):
        folder.mkdir(parents=True)
    for file in (weights / "attributes" / "attributes.onnx", weights / "embedder" / "embedder.onnx"):
        file.write_bytes(b"1")
    (own / "embedder.onnx").write_bytes(b"1")
    known = readers_digest(weights)
    assert known == readers_digest(weights, own)
    (own / "embedder.onnx").write_bytes(b"2")
    assert readers_digest(weights, own) != known
    (weights / "attributes" / "attributes.onnx").write_bytes(b"2")
    changed = readers_digest(weights)
    assert changed != known
    calls = []
    for digest in (known, known, changed):
        reader = FakeReader((face(),))
        Eye(reader, JUDGE, net, net, tmp_path / "looks", digest).look([png("red")])
        calls.append(reader.calls)
    assert calls == [1, 0, 1]


def test_another_judge_reads_anew(tmp_path, net):
    Eye(FakeReader((face(),)), JUDGE, net, net, tmp_path).look([png("red")])
    other = SimpleNamespace(name="another", embed=JUDGE.embed)
    reader = FakeReader(())

    [look] = Eye(reader, other, net, net, tmp_path).look([png("red")])

    assert reader.calls == 1
    assert (look.faces, look.embedding, look.words, look.mask()) == (0, None, {"colour": "red"}, None)
