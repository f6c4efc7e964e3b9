"""What the generator and the training are asked for: alike but for the person, and the same every time."""

import dataclasses

import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2

from loadtests.starter.methods import LATE, METHODS, TEXT, chosen
from loadtests.starter.people import Character, Person
from loadtests.starter.portraits import Slot, request_of, seed_of, slots_of
from loadtests.starter.prompts import EDITS, FIXED
from loadtests.starter.scale import Scale
from loadtests.starter.training import order


@pytest.fixture
def person():
    embedding = image_pb2.Embedding(values=[1, 2])
    seen = face_pb2.Face(embedding=embedding, landmarks=face_pb2.FaceLandmarks())
    known = Character(7, ("female", "young"), (), (), 1, np.array([1.0, 0.0]))
    return Person(known, (seen, seen), (b"one", b"two"), {"sex": "female", "hair_color": "red"})


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


def test_text_to_image_always_takes_part():
    assert chosen("late") == (TEXT, LATE)
    assert chosen(None) == METHODS
    with pytest.raises(ValueError, match="pulid is unknown; known: ip_adapter"):
        chosen("late,pulid")


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
