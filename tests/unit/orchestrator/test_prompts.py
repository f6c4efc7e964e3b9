"""Prompts: filled, dropped, overridden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.prompts import build_prompt, describe, slot_of, split_phrases

TEMPLATE = (
    "portrait of a {person}, {skin}, {hair}, {beard}, {glasses}, smiling, {prompt}, "
    "grey background, soft light"
)
ADA = {"sex": "female", "age": "elderly", "skin": "light", "hair_style": "bob", "hair_color": "grey"}


def test_known_attributes_are_said_and_unknown_ones_left_out():
    assert build_prompt(TEMPLATE, ADA) == (
        "portrait of an elderly woman, light skin, grey bob hair, smiling, grey background, soft light"
    )


def test_without_attributes_a_person_is_left():
    assert (
        build_prompt("portrait of a {person}, {hair}, warm light", {}) == "portrait of a person, warm light"
    )


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("red background", "smiling, red background, soft light"),
        ("pink hair", "light skin, pink hair, smiling"),
        ("warm light", "grey background, warm light"),
        ("surprised", "grey bob hair, surprised, grey background"),
        ("full beard", "grey bob hair, full beard, smiling"),
        ("round glasses", "grey bob hair, round glasses, smiling"),
        ("a medal", "smiling, a medal, grey background"),
        ("a medal, blue shirt", "smiling, a medal, blue shirt, grey background"),
    ],
)
def test_the_users_words_take_the_place_of_the_styles(own, expected):
    assert expected in build_prompt(TEMPLATE, ADA, own)


def test_the_users_other_words_come_last_where_the_template_has_no_place_for_them():
    assert build_prompt("grey background", {}, "a medal, red background") == "red background, a medal"


@pytest.mark.parametrize(
    ("phrase", "slot"),
    [
        ("light skin", "skin"),
        ("light brown hair", "hair"),
        ("grey hair", "hair"),
        ("bald", "hair"),
        ("soft light", "light"),
        ("blue eyes", "eyes"),
        ("light blue eyes", "eyes"),
        ("striped red shirt", "clothes"),
        ("on a bridge", None),
    ],
)
def test_a_phrase_is_known_by_its_words(phrase, slot):
    assert slot_of(phrase) == slot


@pytest.mark.parametrize(
    ("attributes", "phrase"),
    [
        ({"hair_style": "bald", "hair_color": "red"}, {"hair": "bald"}),
        ({"beard": "none"}, {}),
        ({"beard": "full"}, {"beard": "full beard"}),
        ({"glasses": "none"}, {"glasses": "no glasses"}),
        ({"glasses": "round"}, {"glasses": "round glasses"}),
        ({"hair_color": "red"}, {"hair": "red hair"}),
    ],
)
def test_attributes_become_the_words_of_the_captions(attributes, phrase):
    assert describe(attributes) == {"person": "person", **phrase}


@given(st.lists(st.text("abc xyz", min_size=1).filter(str.strip), max_size=6))
def test_no_word_of_the_user_is_lost(own):
    prompt = build_prompt(TEMPLATE, ADA, ", ".join(own))

    assert set(split_phrases(", ".join(own))) <= set(split_phrases(prompt))
