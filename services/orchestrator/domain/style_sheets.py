"""From what a style's file says to the whole style: defaults filled in, the scene written into the prompt.

A file of schema 2 says only what makes the style itself. The rest comes from the defaults of all styles and
of its group. Its `scene` names phrases by what they speak of, and the prompt of the defaults has a slot for
each: "portrait of a {person}, {hair}, {expression}, {background}".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.orchestrator.domain.prompts import split_phrases
from services.orchestrator.domain.styles import PROMPT_SLOTS, Style

SCENE_SLOTS = frozenset({"expression", "pose", "background", "clothes", "hat", "earrings", "light"})
"""What a scene speaks of besides the person; a phrase whose slot no scene fills is left out."""
_FIXED = frozenset({"person", "prompt"})

Document = Mapping[str, Any]


class StyleGroup(BaseModel):
    """What the styles of a folder have in common, as its `_group.yaml` says.

    Attributes:
        title: Name for people.
        order: Place in a gallery; groups of one place go by name.
        defaults: What each style of the group says unless it says otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=80)
    order: int = 0
    defaults: dict[str, Any] = Field(default_factory=dict)


def merged(documents: Sequence[Document]) -> dict[str, Any]:
    """Lay documents over each other, the last on top: mappings key by key, all else as a whole."""
    result: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            below = result.get(key)
            both = isinstance(value, Mapping) and isinstance(below, Mapping)
            result[key] = merged([below, value]) if both else value  # type: ignore[list-item]
    return result


def whole_style(document: Document, defaults: Sequence[Document], group: str = "") -> Style:
    """Return the style that a file of schema 1 or 2 describes.

    Args:
        document: The file.
        defaults: Of all styles, then of the group; a file of schema 1 says everything itself.
        group: Name of its folder; empty without one.

    Raises:
        ValueError: It does not fit the schema.
    """
    if document.get("schema_version") != 2:
        return Style.model_validate({**document, "group": group})
    said = merged([*defaults, document])
    said["prompt"] = composed(str(said.get("prompt", "")), _scene(said.pop("scene", {})))
    return Style.model_validate({**said, "group": group})


def _scene(said: Any) -> Mapping[str, str | None]:
    if not isinstance(said, Mapping) or any(not isinstance(value, str | None) for value in said.values()):
        raise ValueError(f"the scene must give phrases by name, or null: {said!r}")
    return said


def composed(frame: str, scene: Mapping[str, str | None]) -> str:
    """Write a scene into a prompt's slots.

    A slot of the person that the scene names is fixed by it ("glasses": "sunglasses"), or left out with None
    ("hair" under a headscarf).

    Raises:
        ValueError: The scene speaks of something unknown, or of something that the frame has no slot for.
    """
    phrases = split_phrases(frame)
    slots = {slot for phrase in phrases for slot in re.findall(r"\{(\w*)\}", phrase)}
    allowed = (SCENE_SLOTS | PROMPT_SLOTS) - _FIXED
    if wrong := sorted(set(scene) - (allowed & slots)):
        raise ValueError(f"the scene speaks of {wrong}; the prompt has slots for {sorted(allowed & slots)}")
    written = []
    for phrase in phrases:
        named = [slot for slot in re.findall(r"\{(\w+)\}", phrase) if slot in SCENE_SLOTS or slot in scene]
        if all(scene.get(slot) for slot in named):
            for slot in named:
                phrase = phrase.replace(f"{{{slot}}}", str(scene[slot]))
            written.append(phrase)
    return ", ".join(written)
