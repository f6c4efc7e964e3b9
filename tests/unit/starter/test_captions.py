"""Captions say what the render shows, and the tokenizer knows their words."""

from dataclasses import replace

import numpy as np
import pytest
from transformers import CLIPTokenizer

from starter.data.captions import caption, tokenizer_corpus, varied_caption
from starter.data.manifest import Sample
from starter.models.text import MAX_TOKENS, build_tokenizer
from tests.unit.starter.samples import make_sample


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return build_tokenizer(tokenizer_corpus([make_sample()]))


def test_full_caption_is_the_same_every_time_and_names_every_attribute() -> None:
    text = caption(make_sample())
    assert text == caption(make_sample())
    for words in ("young woman", "tan skin", "brown bob hair", "round glasses", "smiling", "teal background"):
        assert words in text


def test_hats_earrings_and_backdrops_have_words_and_a_headscarf_hides_the_hair() -> None:
    plain = make_sample()
    worn = {
        "hat": "wide-brim",
        "hat_color": "red",
        "earrings": "hoops",
        "scar": True,
        "glasses": "sunglasses",
    }
    text = caption(replace(plain, attributes={**plain.attributes, **worn}, backdrop="gradient"))
    for words in ("red wide-brim hat", "hoop earrings", "scar", ", sunglasses", "teal gradient background"):
        assert words in text
    hidden = {**plain.attributes, "hat": "headscarf", "hat_color": "blue", "hair_style": "hidden"}
    text = caption(replace(plain, attributes=hidden))
    assert "blue headscarf" in text
    assert "hair" not in text


def test_a_phrase_is_reworded_once() -> None:
    sample = replace(make_sample(), clothes={"color": "red", "pattern": "plain", "cut": "collared shirt"})
    drawn = " ".join(varied_caption(sample, False, np.random.default_rng(seed)) for seed in range(60))
    assert "red button-up" in drawn
    assert "collared sweater" not in drawn


def test_varied_caption_depends_on_the_generator_alone() -> None:
    drawn = [varied_caption(make_sample(), False, np.random.default_rng(7)) for _ in range(2)]
    others = {varied_caption(make_sample(), False, np.random.default_rng(seed)) for seed in range(20)}
    assert drawn[0] == drawn[1]
    assert len(others) > 10


def test_mirror_image_faces_the_other_way() -> None:
    sample: Sample = replace(make_sample(), yaw_deg=20.0)
    assert "facing right" in caption(sample)
    assert "facing left" in caption(sample, is_mirrored=True)


def test_every_word_of_a_caption_is_one_token(tokenizer: CLIPTokenizer) -> None:
    text = caption(make_sample())
    words = text.replace(",", " ,").split()
    assert [token.removesuffix("</w>") for token in tokenizer.tokenize(text)] == words


def test_unknown_words_fall_apart_into_bytes_and_lose_nothing(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer("zebra Größe 猫")["input_ids"]
    assert tokenizer.eos_token_id not in ids[1:-1]
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == "zebragröße猫"


def test_longest_caption_fits_into_the_text_encoder() -> None:
    look = {
        **make_sample().attributes,
        "age": "middle-aged",
        "hair_style": "side-part",
        "hair_color": "dark brown",
        "eye_color": "dark brown",
        "beard": "full",
        "makeup": True,
    }
    clothes = {"color": "green", "pattern": "striped", "cut": "collared shirt"}
    longest = replace(make_sample(), attributes=look, clothes=clothes, expression="neutral")
    tokenizer = build_tokenizer(tokenizer_corpus([longest]))
    assert len(tokenizer(caption(longest))["input_ids"]) <= MAX_TOKENS
