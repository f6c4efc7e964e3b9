"""The styles that come with the orchestrator: many, each drawn from words that the captions teach."""

import re
from pathlib import Path

import pytest

import services.orchestrator as package
from services.orchestrator.adapters.style_files import LoadedStyle, StyleFolder
from services.orchestrator.domain.prompts import build_prompt, split_phrases
from services.orchestrator.domain.styles import PROMPT_SLOTS
from shared.emphasis import parse, plain
from starter.data import labels
from starter.data.captions import tokenizer_corpus
from starter.heads.looks import LOOKS

FOLDER = StyleFolder(Path(package.__file__).parent / "styles")
SHIPPED = FOLDER.all()
PERSON = {"sex": "male", "age": "young"}
# As CLIP's tokenizers split text; a word of the captions is one token.
TOKEN = re.compile(r"[^\W\d_]+|\d|[^\s\w]+")
EVERYTHING = {
    "sex": "female",
    "age": "middle-aged",
    "skin": "light",
    "hair_style": "side-part",
    "hair_color": "dark brown",
    "eye_color": "dark brown",
    "beard": "full",
    "glasses": "half-rim",
}


def words(text: str) -> set[str]:
    return {token for token in TOKEN.findall(text.lower()) if token.isalpha()}


def vocabulary() -> set[str]:
    """Every word that a caption of the starter pack may have."""
    known = tokenizer_corpus([])
    for values in (*labels.LABELS.values(), *labels.SCENE_LABELS.values()):
        known += values
    for phrases in (labels.GLASSES_WORDS, labels.HAT_WORDS, labels.EARRING_WORDS, labels.CLOTHES_WORDS):
        known += phrases.values()
    known += [*labels.EXPRESSIONS.values(), *labels.BACKDROP_WORDS.values(), *labels.LIGHTS]
    known += ["woman man skin hair eyes background facing forward striped"]
    return set().union(*(words(text.replace("{}", "")) for text in known))


def by_name(known: LoadedStyle) -> str:
    return known.style.name


def test_there_are_more_than_an_avatar_platform_needs():
    assert len(SHIPPED) >= 50
    assert {"studio", "sunset", "toon", "noir"} <= {known.style.name for known in SHIPPED}
    assert len({known.style.title for known in SHIPPED}) == len(SHIPPED)
    assert len({known.style.description for known in SHIPPED}) == len(SHIPPED)
    drawn = {(item.style.prompt, item.style.adapters, item.style.effect) for item in SHIPPED}
    assert len(drawn) == len(SHIPPED), "no two draw the same"


@pytest.mark.parametrize("known", SHIPPED, ids=by_name)
def test_a_shipped_style_is_complete_and_fills_its_template(known: LoadedStyle):
    style = known.style
    prompt = build_prompt(style.prompt, PERSON)

    assert prompt.startswith("portrait of a young man")
    assert "{" not in prompt
    assert style.group and known.group_title and style.tags and style.description.endswith(".")
    assert style.licence == "Apache-2.0"
    assert {"background", "light"} <= words(prompt)


@pytest.mark.parametrize("known", SHIPPED, ids=by_name)
def test_every_word_of_a_prompt_is_one_of_the_captions(known: LoadedStyle):
    slots = "|".join(PROMPT_SLOTS)
    said = re.sub(rf"\{{({slots})\}}", "", plain(parse(known.style.prompt)))

    assert words(said) <= vocabulary()


def test_the_vocabulary_is_no_dictionary():
    assert not {"cyberpunk", "armour", "castle", "beret"} & vocabulary()


@pytest.mark.parametrize("known", SHIPPED, ids=by_name)
def test_the_longest_description_of_a_person_fits_into_the_text_encoder(known: LoadedStyle):
    """48 tokens, start and end among them."""
    prompt = build_prompt(known.style.prompt, EVERYTHING)

    assert len(TOKEN.findall(prompt)) <= 46, prompt


@pytest.mark.parametrize("known", SHIPPED, ids=by_name)
def test_each_phrase_gives_way_to_the_users(known: LoadedStyle):
    """A phrase whose property is not known would stay beside the user's own words, against them."""
    own = "surprised, red background, green hoodie, dramatic light, blue cap"
    phrases = split_phrases(build_prompt(known.style.prompt, {}, own))

    for ending in ("background", "light", "cap"):
        assert sum(phrase.endswith(ending) for phrase in phrases) == 1, phrases
    assert sorted(phrases) == sorted({*phrases})
    left = set(phrases) - set(split_phrases(own))
    assert left <= {"portrait of a person", "facing forward", "sunglasses"}


def test_there_is_a_style_for_every_look_of_the_renderer():
    adapters = {adapter.name for known in SHIPPED for adapter in known.style.adapters}

    assert adapters == set(LOOKS) - {"render"} | {"fewstep"}
    for known in SHIPPED:
        if {adapter.name for adapter in known.style.adapters} & set(LOOKS):
            assert known.style.fusion.strength == 0, "a photo's face in a drawing"
