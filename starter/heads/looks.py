"""Ways to draw the same scene; all looks of a scene cover exactly the same pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Look = Literal["render", "toon", "clay"]
LOOKS: tuple[Look, ...] = get_args(Look)


@dataclass(frozen=True)
class LookShaders:
    """surface: fragment shader after material.glsl and light.glsl; finish: of the last pass.

    grain scales all noise; lines, in pixels of a 256 px picture, is the width of outlines.
    """

    surface: str
    finish: str
    grain: float
    lines: float = 0.0


SHADERS_OF: Mapping[Look, LookShaders] = {
    "render": LookShaders("look_render.frag", "finish_render.frag", grain=1.0),
    "toon": LookShaders("look_toon.frag", "finish_toon.frag", grain=0.0, lines=1.4),
    "clay": LookShaders("look_clay.frag", "finish_render.frag", grain=0.0),
}
