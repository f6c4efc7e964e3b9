"""Prompts: the style's phrases, filled with the person's attributes, overridden by the user's own words."""

import re
from collections.abc import Mapping

from shared.emphasis import Span, joined, parse, write

# Under it no hair shows: the person's own must not be asked for as well.
_HAIR_COVERS = frozenset({"headscarf", "hijab"})
_EXPRESSION_WORDS = (
    "expression", "smiling", "smile", "happy", "grinning", "laughing", "surprised", "amazed", "frowning",
    "angry", "stern", "neutral", "calm", "sad", "unhappy", "smirking", "puckered", "sneering", "squinting",
)  # fmt: skip
_CLOTHES_WORDS = (
    "shirt", "jacket", "suit", "tie", "dress", "sweater", "hoodie", "turtleneck", "top", "polo", "button",
)  # fmt: skip
# Which property a phrase speaks of, by the words in it. The first match counts: "grey hair" is hair, not a
# colour, and "light blue shirt" is clothes, not light.
_SLOT_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("background", ("background", "backdrop")),
    ("hair", ("hair", "bald", "dreadlocks")),
    ("eyes", ("eyes",)),
    ("glasses", ("glasses", "sunglasses", "shades")),
    ("beard", ("beard", "goatee", "moustache", "mustache", "stubble")),
    ("skin", ("skin",)),
    ("freckles", ("freckles",)),
    ("makeup", ("makeup",)),
    ("clothes", _CLOTHES_WORDS),
    ("hat", ("hat", "cap", "beanie", "headscarf", "hijab")),
    ("earrings", ("earrings",)),
    ("scar", ("scar",)),
    ("light", ("light", "lighting")),
    ("expression", _EXPRESSION_WORDS),
    ("pose", ("facing",)),
    ("subject", ("portrait",)),
)
# Below this a vote says too little about the person to be worth a word of the prompt.
MIN_ATTRIBUTE_CONFIDENCE = 0.4


def slot_of(phrase: str) -> str | None:
    """Name the property that a phrase speaks of, or None where its words are unknown."""
    words = _words(phrase)
    return next((slot for slot, keys in _SLOT_WORDS if words.intersection(keys)), None)


def split_phrases(text: str) -> list[str]:
    r"""Split a prompt at its commas; empty phrases are dropped.

    A weight that spans several phrases goes with each: "(red hair, smiling:1.3)" gives "(red hair:1.3)" and
    "(smiling:1.3)", so that each phrase can move or be left out without the others. Plain brackets come
    out with a backslash ("\)"), as others could find a partner in another phrase.

    Raises:
        WeightOutOfRange: A word is weighted beyond what diffusion takes.
    """
    phrases: list[list[Span]] = [[]]
    for span in parse(text):
        first, *others = span.text.split(",")
        phrases[-1].append(Span(first, span.weight))
        phrases += [[Span(other, span.weight)] for other in others]
    return [written for spans in phrases if (written := write(_stripped(joined(spans))))]


def _stripped(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Without white space at both ends."""
    kept = list(spans)
    while kept and not (text := kept[0].text.lstrip()):
        kept.pop(0)
    if kept:
        kept[0] = Span(text, kept[0].weight)
    while kept and not (text := kept[-1].text.rstrip()):
        kept.pop()
    if kept:
        kept[-1] = Span(text, kept[-1].weight)
    return tuple(kept)


def _words(phrase: str) -> set[str]:
    return set(re.findall(r"[a-z]+", phrase.lower()))


def describe(attributes: Mapping[str, str]) -> dict[str, str]:
    """Turn attribute values into the phrases that the templates ask for.

    Args:
        attributes: Value by name, as face_analysis names them ("sex", "age", "skin", "hair_style",
        "hair_color",
            "eye_color", "beard", "glasses"); any may be missing.

    Returns:
        Phrase by slot ("person", "skin", "hair", "eyes", "beard", "glasses"). A slot that the attributes say
        nothing about is missing, except "person".
    """
    sex = {"female": "woman", "male": "man"}.get(attributes.get("sex", ""), "person")
    phrases = {"person": " ".join(filter(None, [attributes.get("age", ""), sex]))}
    if skin := attributes.get("skin"):
        phrases["skin"] = f"{skin} skin"
    if (hair := _hair(attributes)) is not None:
        phrases["hair"] = hair
    if eyes := attributes.get("eye_color"):
        phrases["eyes"] = f"{eyes} eyes"
    if (beard := attributes.get("beard")) and beard != "none":
        phrases["beard"] = "full beard" if beard == "full" else beard
    if glasses := attributes.get("glasses"):
        phrases["glasses"] = "no glasses" if glasses == "none" else f"{glasses} glasses"
    return phrases


def _hair(attributes: Mapping[str, str]) -> str | None:
    style, color = attributes.get("hair_style"), attributes.get("hair_color")
    if style == "bald":
        return "bald"
    if style == "hidden":
        # Under a headscarf on the photos: its style is not known, and a colour was guessed.
        return None
    if not style and not color:
        return None
    return " ".join(filter(None, [color, style, "hair"]))


def build_prompt(template: str, attributes: Mapping[str, str], user_prompt: str = "") -> str:
    """Build the prompt of a portrait.

    The template's phrases are filled in; a phrase that asks for something unknown about the person is
    dropped. A phrase of the user that speaks of the same property as one of the template (background, hair,
    clothes ...) takes its place; the user's other phrases follow at the end, in their order.

    Args:
        template: Phrases separated by commas, with slots as in :func:`describe`, such as "{hair}". The phrase
            "{prompt}" is the place of the user's other phrases; without it they come last.
        attributes: The person's attributes by name.
        user_prompt: The user's own words, separated by commas; they may be weighted (shared.emphasis).

    Returns:
        The prompt.

    Raises:
        WeightOutOfRange: As :func:`split_phrases`.
        KeyError: never for a slot of :func:`describe`; styles are checked for other slots when they are
        loaded.
    """
    known = describe(attributes)
    own = split_phrases(user_prompt)
    taken = {slot for phrase in own if (slot := slot_of(phrase)) is not None}
    if any(_words(phrase) & _HAIR_COVERS for phrase in own):
        taken.add("hair")
    in_template = {_template_slot(phrase) for phrase in split_phrases(template)}
    loose = [phrase for phrase in own if slot_of(phrase) is None or slot_of(phrase) not in in_template]
    placed: set[int] = set()
    result: list[str] = []
    for phrase in split_phrases(template):
        if phrase == "{prompt}":
            placed.update(position for position, phrase in enumerate(own) if phrase in loose)
            result += loose
            continue
        filled = _fill(phrase, known)
        slot = _template_slot(phrase)
        if slot in taken:
            for position, own_phrase in enumerate(own):
                if position not in placed and slot_of(own_phrase) == slot:
                    placed.add(position)
                    result.append(own_phrase)
        elif filled is not None:
            result.append(filled)
    result += [phrase for position, phrase in enumerate(own) if position not in placed]
    return ", ".join(result)


def _template_slot(phrase: str) -> str | None:
    slots = re.findall(r"\{(\w+)\}", phrase)
    if slots and slots[0] != "person":
        return str(slots[0])
    return slot_of(phrase)


def _fill(phrase: str, known: Mapping[str, str]) -> str | None:
    slots = re.findall(r"\{(\w+)\}", phrase)
    if not all(slot in known for slot in slots):
        return None
    return re.sub(r"\ba (?=[aeiou])", "an ", phrase.format_map(dict(known)))
