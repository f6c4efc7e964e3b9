"""FaceChain's ranking as a baseline."""

import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2

from loadtests.common.services import Seen
from loadtests.fusion.facechain_ranking import facechain_order
from shared.images import encode_png


def face(*values, side=100.0, quality=0.5):
    box = image_pb2.Box(x0=10, y0=10, x1=10 + side, y1=10 + 0.8 * side)
    embedding = image_pb2.Embedding(values=values)
    return face_pb2.Face(box=box, embedding=embedding, quality=face_pb2.FaceQuality(overall=quality))


def seen(*faces):
    return Seen(encode_png(np.zeros((256, 256, 3), np.uint8)), faces)


REFERENCES = [seen(face(1, 0, quality=0.4)), seen(face(0, 1, quality=0.9)), seen()]


def test_one_reference_of_the_best_quality_decides():
    candidates = [seen(face(1, 0)), seen(face(0, 2)), seen(face(1, 1))]

    assert facechain_order(candidates, REFERENCES) == [1, 2, 0]


def test_pictures_without_exactly_one_face_or_with_one_too_small_or_too_large_are_dropped():
    candidates = [
        seen(),
        seen(face(0, 1), face(0, 1)),
        seen(face(0, 1, side=59)),
        seen(face(0, 1, side=151)),
        seen(face(1, 0)),
    ]

    assert facechain_order(candidates, REFERENCES) == [4]


def test_there_is_no_gate():
    assert facechain_order([seen(face(0, -1))], REFERENCES) == [0]


def test_the_comparison_embedding_and_the_judged_quality_come_first():
    judged = face(1, 0, quality=0.1)
    judged.quality.judged = 0.95
    compared = face(0, 1)
    compared.comparison_embedding.CopyFrom(image_pb2.Embedding(values=[1, 0]))

    order = facechain_order([seen(face(1, 2)), seen(compared)], [*REFERENCES, seen(judged)])

    assert order == [1, 0]


def test_without_a_reference_that_shows_one_face_there_is_no_ranking():
    with pytest.raises(ValueError, match="no reference"):
        facechain_order([], [seen()])
