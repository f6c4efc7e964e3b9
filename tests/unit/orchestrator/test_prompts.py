"""Prompts: filled, dropped, overridden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.prompts import build_prompt, describe, slot_of, split_phrases
from shared.emphasis import WeightOutOfRange, parse

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
        ("light blue shirt", "clothes"),
        ("navy suit and tie", "clothes"),
        ("white polo neck", "clothes"),
        ("red wool hat", "hat"),
        ("black hijab", "hat"),
        ("earrings", "earrings"),
        ("big smile", "expression"),
        ("calm", "expression"),
        ("city at night background", "background"),
        ("yellow lights background", "background"),
        ("(red hair:1.3)", "hair"),
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


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("(red background:1.3)", "smiling, (red background:1.3), soft light"),
        ("(pink:1.3) hair", "light skin, (pink:1.3) hair, smiling"),
        ("(pink hair, surprised:1.2)", "light skin, (pink hair:1.2), (surprised:1.2), grey background"),
        (
            "(a medal, (pink hair:1.5):1.2)",
            "light skin, (pink hair:1.8), smiling, (a medal:1.2), grey background",
        ),
        ("[red background]", "smiling, (red background:0.9091), soft light"),
        ("a medal (of tin), red background", "smiling, a medal (of tin:1.1), red background"),
        (r"a medal \(of tin\)", r"smiling, a medal \(of tin\), grey background"),
        ("a medal :), red background", r"smiling, a medal :\), red background"),
        ("(a medal, red background", r"smiling, \(a medal, red background"),
    ],
)
def test_a_weight_goes_with_each_phrase_and_stray_brackets_stay_plain(own, expected):
    assert expected in build_prompt(TEMPLATE, ADA, own)


def test_a_template_may_weight_its_phrases():
    template = "portrait of a {person}, ({hair}:1.2), (grey background:0.8)"

    assert (
        build_prompt(template, ADA)
        == "portrait of an elderly woman, (grey bob hair:1.2), (grey background:0.8)"
    )
    assert build_prompt(template, {}) == "portrait of a person, (grey background:0.8)"
    assert build_prompt(template, ADA, "pink hair").endswith("woman, pink hair, (grey background:0.8)")


def test_a_weight_beyond_the_range_is_refused():
    with pytest.raises(WeightOutOfRange):
        build_prompt(TEMPLATE, ADA, "(red hair:7)")


@pytest.mark.parametrize("own", ["red hijab", "wearing a (white headscarf:1.2)"])
def test_a_headscarf_hides_the_persons_hair(own):
    prompt = build_prompt(TEMPLATE, ADA, own)

    assert own in prompt
    assert "bob hair" not in prompt


def test_hair_that_the_photos_do_not_show_is_not_described():
    assert "hair" not in describe({"hair_style": "hidden", "hair_color": "black"})


@given(st.text("ab, ()[]:1.2\\", max_size=30))
def test_phrases_carry_all_words_and_weights_of_a_prompt(own):
    try:
        spans = parse(own)
    except WeightOutOfRange:
        return
    phrases = [parse(phrase) for phrase in split_phrases(own)]

    def letters(of):
        return [(c, span.weight) for span in of for c in span.text if c not in ", "]

    assert [pair for phrase in phrases for pair in letters(phrase)] == letters(spans)
    assert split_phrases(", ".join(split_phrases(own))) == split_phrases(own)


@given(st.lists(st.text("abc xyz", min_size=1).filter(str.strip), max_size=6))
def test_no_word_of_the_user_is_lost(own):
    prompt = build_prompt(TEMPLATE, ADA, ", ".join(own))

    assert set(split_phrases(", ".join(own))) <= set(split_phrases(prompt))
