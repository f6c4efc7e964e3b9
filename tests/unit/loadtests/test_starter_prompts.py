"""The prompts speak the pack's language, and ask for what the nets can tell."""

import re

import pytest

from loadtests.starter.options import prompts_of
from loadtests.starter.prompts import EDITS, FIXED, LISTS, who
from starter.data.captions import tokenizer_corpus
from starter.data.labels import (
    BACKDROP_WORDS,
    CLOTHES_WORDS,
    EARRING_WORDS,
    EXPRESSIONS,
    GLASSES_WORDS,
    HAT_WORDS,
    LABELS,
    LIGHTS,
    SCENE_LABELS,
)

ALL = {**LABELS, **SCENE_LABELS}


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9-]+", text.lower()))


def vocabulary() -> set[str]:
    known = [word for mapping in ALL.values() for word in mapping]
    for mapping in (GLASSES_WORDS, HAT_WORDS, EARRING_WORDS, CLOTHES_WORDS, EXPRESSIONS, BACKDROP_WORDS):
        known += mapping.values()
    known += LIGHTS
    known += tokenizer_corpus([])
    # What captions write around the words.
    known += ["portrait of a woman", "an", "man", "hair", "background", "facing", "makeup", "3d character"]
    return words(" ".join(known))


def test_there_are_twenty_edits_with_names_of_their_own():
    assert len(EDITS) == 20
    assert len({prompt.name for prompt in (FIXED, *EDITS)}) == 21


@pytest.mark.parametrize("prompt", [FIXED, *EDITS], ids=lambda prompt: prompt.name)
def test_every_word_is_one_that_captions_know(prompt):
    assert words(prompt.text(who("female", "elderly"))) <= vocabulary()


@pytest.mark.parametrize("prompt", EDITS, ids=lambda prompt: prompt.name)
def test_what_a_prompt_asks_for_is_a_word_of_its_list_and_of_the_prompt(prompt):
    spoken = {**EXPRESSIONS, **{f"hat {k}": v for k, v in HAT_WORDS.items()}}
    for name, word in prompt.expected.items():
        assert word in ALL[name]
        phrase = {
            "expression": lambda w: EXPRESSIONS[w],
            "hat": lambda w: spoken[f"hat {w}"],
            "earrings": lambda w: EARRING_WORDS[w],
            "glasses": lambda w: GLASSES_WORDS[w],
            "clothes_cut": lambda w: CLOTHES_WORDS[w],
            "background": lambda w: f"{w} background",
            "facing": lambda w: f"facing {w}",
        }.get(name, lambda w: w)(word)
        assert phrase in prompt.words, (name, phrase)


def test_every_list_with_a_bar_is_asked_for_by_several_prompts():
    for name in LISTS:
        assert len({p.expected[name] for p in EDITS if name in p.expected}) >= 4, name


def test_who_is_called_by_sex_and_age_alone():
    assert who("female", "elderly") == "an elderly woman"
    assert who("male", "young") == "a young man"
    assert FIXED.text("a young man").startswith("portrait of a young man, neutral")


def test_prompts_are_chosen_by_name():
    assert [prompt.name for prompt in prompts_of("cap, sad")] == ["cap", "sad"]
    with pytest.raises(ValueError, match="spacesuit is unknown; known: blonde"):
        prompts_of("cap,spacesuit")
