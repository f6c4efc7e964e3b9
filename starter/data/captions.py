"""Captions: from a render's ground truth to the words that a prompt may use.

A prompt is short, so training captions are too: phrases are left out, reordered and reworded at
random, and now and then a phrase without meaning is put in so that unknown words do little harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from starter.data.labels import (
    BACKDROP_WORDS,
    CLOTHES_WORDS,
    EARRING_WORDS,
    EXPRESSIONS,
    FACING_LIMIT_DEG,
    GLASSES_WORDS,
    HAT_WORDS,
)
from starter.data.manifest import Sample

_SYNONYMS = {
    "smiling": ("smiling", "smiling", "smile", "happy"),
    "grinning": ("grinning", "grinning", "big smile", "laughing"),
    "frowning": ("frowning", "frowning", "angry", "stern"),
    "surprised": ("surprised", "surprised", "amazed"),
    "neutral expression": ("neutral expression", "neutral", "calm"),
    "full beard": ("full beard", "beard"),
    "makeup": ("makeup", "make up"),
    "collared shirt": ("collared shirt", "collared shirt", "button-up", "dress shirt"),
    "shirt": ("shirt", "shirt", "t-shirt", "top", "sweater"),
    "turtleneck": ("turtleneck", "turtleneck", "turtleneck sweater", "polo neck"),
    "suit": ("suit", "suit", "suit and tie", "jacket"),
    "hoodie": ("hoodie", "hoodie", "hooded sweater"),
    "cap": ("cap", "cap", "baseball cap"),
    "beanie": ("beanie", "beanie", "knit hat", "wool hat"),
    "wide-brim hat": ("wide-brim hat", "wide-brim hat", "hat", "sun hat"),
    "headscarf": ("headscarf", "headscarf", "hijab"),
    "sunglasses": ("sunglasses", "sunglasses", "dark glasses", "shades"),
    "half-rim glasses": ("half-rim glasses", "half-rim glasses", "glasses"),
    "round glasses": ("round glasses", "round glasses", "glasses"),
    "square glasses": ("square glasses", "square glasses", "glasses"),
    "hoop earrings": ("hoop earrings", "hoop earrings", "earrings"),
    "stud earrings": ("stud earrings", "stud earrings", "earrings"),
    "locs hair": ("locs hair", "locs hair", "dreadlocks"),
    "sad": ("sad", "sad", "unhappy"),
    "smirking": ("smirking", "smirking", "half smile"),
    "scar": ("scar", "a scar"),
}
_WORN = (
    " shirt",
    " top",
    " sweater",
    " turtleneck",
    " suit",
    " hoodie",
    " cap",
    " beanie",
    " hat",
    " headscarf",
)
_FILLERS = (
    "high quality", "detailed", "studio photo", "beautiful",
    "3d character", "avatar", "sharp", "professional",
)  # fmt: skip


@dataclass(frozen=True)
class Phrase:
    """A piece of a caption and the share of captions that leave it out."""

    text: str
    drop: float


def _facing(sample: Sample, is_mirrored: bool) -> str:
    yaw = -sample.yaw_deg if is_mirrored else sample.yaw_deg
    if abs(yaw) <= FACING_LIMIT_DEG:
        return "facing forward"
    return "facing right" if yaw > 0 else "facing left"


def _hair(sample: Sample) -> str:
    style, color = sample.attributes["hair_style"], sample.attributes["hair_color"]
    return "bald" if style == "bald" else f"{color} {style} hair"


def _background(sample: Sample) -> str:
    return BACKDROP_WORDS.get(sample.backdrop, "{}").format(sample.background)


def phrases(sample: Sample, is_mirrored: bool = False) -> tuple[str, list[Phrase]]:
    """The head of the caption and the phrases that follow it, in their plain wording."""
    look = sample.attributes
    who = "woman" if look["sex"] == "female" else "man"
    article = "an" if look["age"] == "elderly" else "a"
    pattern = "striped " if sample.clothes["pattern"] == "striped" else ""
    rest = [
        Phrase(f"{look['skin']} skin", 0.5),
        *([Phrase(_hair(sample), 0.12)] if look["hair_style"] != "hidden" else []),
        Phrase(f"{look['eye_color']} eyes", 0.4),
        Phrase(GLASSES_WORDS[look["glasses"]], 0.1 if look["glasses"] != "none" else 0.6),
        Phrase(EXPRESSIONS[sample.expression], 0.15),
        Phrase(_facing(sample, is_mirrored), 0.5),
        Phrase(f"{_background(sample)} background", 0.1),
        Phrase(f"{pattern}{sample.clothes['color']} {CLOTHES_WORDS[sample.clothes['cut']]}", 0.15),
    ]
    if look["beard"] != "none":
        rest.append(Phrase("full beard" if look["beard"] == "full" else look["beard"], 0.3))
    rest += [Phrase(word, 0.4) for word in ("freckles", "makeup", "scar") if look[word]]
    if look["hat"] != "none":
        rest.append(Phrase(f"{look['hat_color']} {HAT_WORDS[look['hat']]}", 0.08))
    if look["earrings"] != "none":
        rest.append(Phrase(EARRING_WORDS[look["earrings"]], 0.3))
    if sample.light:
        rest.append(Phrase(sample.light, 0.4))
    return f"portrait of {article} {look['age']} {who}", rest


def caption(sample: Sample, is_mirrored: bool = False) -> str:
    """The full caption; the same for the same sample."""
    head, rest = phrases(sample, is_mirrored)
    return ", ".join([head, *(phrase.text for phrase in rest)])


def _reword(text: str, rng: np.random.Generator) -> str:
    for plain, choices in _SYNONYMS.items():
        if text == plain or text.endswith(" " + plain):
            text = text.removesuffix(plain) + str(rng.choice(choices))
            break
    if text.endswith(_WORN) and rng.random() < 0.3:
        return f"wearing a {text}"
    if text.endswith(" background") and rng.random() < 0.15:
        return f"in front of a {text}"
    return text


def _filler(rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        return str(rng.choice(_FILLERS))
    letters = rng.integers(ord("a"), ord("z") + 1, int(rng.integers(3, 8)))
    return "".join(map(chr, letters))


def varied_caption(sample: Sample, is_mirrored: bool, rng: np.random.Generator) -> str:
    """A caption as somebody might type it: shortened, reordered, reworded."""
    head, rest = phrases(sample, is_mirrored)
    if rng.random() < 0.3:
        head = (
            head.replace(f" {sample.attributes['age']}", "")
            .replace("an woman", "a woman")
            .replace("an man", "a man")
        )
    kept = [_reword(phrase.text, rng) for phrase in rest if rng.random() >= phrase.drop]
    if rng.random() < 0.5:
        kept = [kept[i] for i in rng.permutation(len(kept))]
    if rng.random() < 0.15:
        kept.insert(int(rng.integers(len(kept) + 1)), _filler(rng))
    return ", ".join([head, *kept])


def tokenizer_corpus(samples: Sequence[Sample]) -> list[str]:
    """Every plain caption and every rewording, so that each domain word becomes one token."""
    words = [word for choices in _SYNONYMS.values() for word in choices]
    extra = [
        *words,
        *_FILLERS,
        "wearing a",
        "in front of a",
        "portrait of a person",
        "with glasses",
        "photo of",
    ]
    return [caption(sample) for sample in samples] + extra * 20
