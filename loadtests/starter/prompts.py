"""The prompts: one fixed one for likeness, twenty that edit; and what each should show.

The words are those of the pack's captions (`starter/data/labels.py`, `starter/data/captions.py`). The plan is
PuLID's (arXiv 2404.16022, section 4.1): a fixed prompt, and edits of accessories, hair, expression, view,
place and style. Spacesuits and latte art are no words of this pack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

WORN = ("glasses", "hat", "earrings")
"""Lists of things to wear, whose word "none" says that there is nothing."""


@dataclass(frozen=True)
class Prompt:
    """One prompt.

    Attributes:
        name: short, for reports and headings.
        words: what follows "portrait of a young woman, ".
        expected: list of `LABELS` or `SCENE_LABELS` -> the word that a net should read off the picture.
    """

    name: str
    words: str
    expected: Mapping[str, str] = field(default_factory=dict)

    def text(self, who: str) -> str:
        """Returns the prompt for "a young woman"."""
        return f"portrait of {who}, {self.words}"


FIXED = Prompt("fixed", "neutral expression, forest background, soft light, detailed")
"""PuLID's is "portrait, color, cinematic, in garden, soft light, detailed face"."""


def _edit(name: str, words: str, **expected: str) -> Prompt:
    return Prompt(name, words, expected)


EDITS = (
    _edit("blonde", "blonde long hair, white background", hair_color="blonde", background="white"),
    _edit("red hair", "red wavy hair, smiling", hair_color="red", expression="smile"),
    _edit("black hair", "black short hair, yellow background", hair_color="black", background="yellow"),
    _edit("grey hair", "grey short hair, frowning", hair_color="grey", expression="frown"),
    _edit("blue hair", "blue bob hair, red background", hair_color="blue", background="red"),
    _edit("pink hair", "pink ponytail hair, grinning", hair_color="pink", expression="grin"),
    _edit("cap", "red cap, smiling, sky background", hat="cap", expression="smile", background="sky"),
    _edit("beanie", "black beanie, blue background", hat="beanie", background="blue"),
    _edit("headscarf", "green headscarf, neutral expression", hat="headscarf", expression="neutral"),
    _edit("round glasses", "round glasses, library background", glasses="round", background="library"),
    _edit("square glasses", "square glasses, smiling", glasses="square", expression="smile"),
    _edit("sunglasses", "sunglasses, sunset background", glasses="sunglasses", background="sunset"),
    _edit(
        "no glasses",
        "no glasses, surprised, orange background",
        glasses="none",
        expression="surprise",
        background="orange",
    ),
    _edit("sad", "sad, black background, dramatic light", expression="sad", background="black"),
    _edit(
        "grin", "grinning, living room background, warm light", expression="grin", background="living room"
    ),
    _edit(
        "left",
        "facing left, red hoodie, white background",
        facing="left",
        clothes_color="red",
        clothes_cut="hoodie",
        background="white",
    ),
    _edit(
        "right",
        "facing right, white turtleneck, teal background",
        facing="right",
        clothes_color="white",
        clothes_cut="turtleneck",
        background="teal",
    ),
    _edit(
        "suit",
        "black suit, city at night background, cool light",
        clothes_color="black",
        clothes_cut="suit",
        background="city at night",
    ),
    _edit("earrings", "hoop earrings, purple background, makeup", earrings="hoops", background="purple"),
    _edit(
        "3d character",
        "3d character, avatar, green background, navy shirt",
        background="green",
        clothes_color="navy",
        clothes_cut="t-shirt",
    ),
)
"""Twenty edits; the last one with words of style."""

LISTS = ("hair_color", "background", "expression", "glasses")
"""The lists with a bar; the others are shown."""


def who(sex: str, age: str) -> str:
    """Returns "a young woman" of the words of `LABELS`; nothing else is said of the person.

    Strangers that a portrait is compared with are of the same sex and age band, so that these words give no
    likeness away.
    """
    noun = "woman" if sex == "female" else "man"
    return f"{'an' if age.startswith(('a', 'e', 'i', 'o', 'u')) else 'a'} {age} {noun}"
