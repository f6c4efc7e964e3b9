"""What a prompt asks for, in the words of face attributes: for the ranking to look whether it came true."""

from collections.abc import Iterator

from services.orchestrator.domain.faces import Attribute
from services.orchestrator.domain.prompts import slot_of, split_phrases
from shared.emphasis import parse, plain

# Values by property, the longer words first: "dark brown" is not "brown". Age and the colour of the eyes are
# left out: the starter's attribute net names them right less often than not, and a wrong measurement would
# push good candidates down. The skin is the person's, and part of the likeness.
_HAIR_COLORS = (
    "dark brown", "black", "brown", "auburn", "blonde", "red", "grey", "blue", "pink",
    "white", "platinum", "green", "purple",
)  # fmt: skip
_HAIR_STYLES = (
    "side-part", "buzzcut", "short", "spiky", "slicked", "curtain", "bob", "long", "fringe", "ponytail",
    "bun", "afro", "wavy", "pixie", "braids", "pigtails", "locs", "undercut", "mohawk", "bald",
)  # fmt: skip
_BEARDS = ("stubble", "moustache", "goatee", "full")
_GLASSES = ("half-rim", "sunglasses", "round", "square")


def wanted_attributes(prompt: str) -> tuple[Attribute, ...]:
    """Return the properties that a prompt fixes and face analysis can measure.

    Args:
        prompt: The whole prompt, phrases separated by commas.

    Returns:
        One attribute per property, the first that is named, with confidence 1. "Glasses" without a shape
        fixes no value, so it is left out; "no glasses" fixes "none".
    """
    found: dict[str, Attribute] = {}
    for phrase in split_phrases(prompt):
        for name, value in _of_phrase(plain(parse(phrase)).strip().lower()):
            found.setdefault(name, Attribute(name=name, value=value, confidence=1.0))
    return tuple(found.values())


def _of_phrase(phrase: str) -> Iterator[tuple[str, str]]:
    slot = slot_of(phrase)
    if slot == "hair":
        yield from _first("hair_color", _HAIR_COLORS, phrase)
        yield from _first("hair_style", _HAIR_STYLES, phrase)
    elif slot in ("beard", "glasses"):
        words = _BEARDS if slot == "beard" else _GLASSES
        if phrase.split()[0] in ("no", "without"):
            yield slot, "none"
        else:
            yield from _first(slot, words, phrase)


def _first(name: str, values: tuple[str, ...], phrase: str) -> Iterator[tuple[str, str]]:
    for value in values:
        if f" {value} " in f" {phrase} ":
            yield name, value
            return
