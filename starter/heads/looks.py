"""Ways to draw the same scene; all looks of a scene cover exactly the same pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from starter.heads import filters
from starter.heads.filters import Filter

Look = Literal[
    "render", "toon", "clay", "ink", "noir", "pastel", "watercolor", "comic", "sketch", "chalk", "lowpoly",
    "neon", "oil", "sepia", "pixel", "blueprint", "popart", "marble", "bronze", "hologram",
]  # fmt: skip
LOOKS: tuple[Look, ...] = get_args(Look)


@dataclass(frozen=True)
class LookRecipe:
    """parts: GLSL files after scene.glsl and background.glsl. finish: a filter over the finished picture.

    lines: width of outlines, in pixels of a 256 px picture.
    """

    parts: tuple[str, ...]
    lines: float = 0.0
    finish: Filter | None = None


_LIT = ("lit.glsl", "look_render.frag")
_DRAWN = ("lit.glsl", "toon.glsl", "paper.glsl")
RECIPES: Mapping[Look, LookRecipe] = {
    "render": LookRecipe(_LIT),
    "toon": LookRecipe(("toon.glsl", "look_toon.frag"), lines=1.4),
    "clay": LookRecipe(("look_clay.frag",)),
    "ink": LookRecipe((*_DRAWN, "look_ink.frag"), lines=1.9),
    "noir": LookRecipe(("lit.glsl", "paper.glsl", "look_noir.frag"), lines=1.0),
    "pastel": LookRecipe((*_DRAWN, "look_pastel.frag"), lines=1.6),
    "watercolor": LookRecipe((*_DRAWN, "look_watercolor.frag"), lines=1.1, finish=filters.watercolor),
    "comic": LookRecipe((*_DRAWN, "look_comic.frag"), lines=2.2),
    "sketch": LookRecipe((*_DRAWN, "look_sketch.frag"), lines=1.3),
    "chalk": LookRecipe((*_DRAWN, "look_chalk.frag"), lines=1.9),
    "lowpoly": LookRecipe(_LIT, finish=filters.lowpoly),
    "neon": LookRecipe((*_DRAWN, "look_neon.frag"), lines=1.3, finish=filters.neon),
    "oil": LookRecipe(_LIT, finish=filters.oil),
    "sepia": LookRecipe(_LIT, finish=filters.sepia),
    "pixel": LookRecipe(("toon.glsl", "look_toon.frag"), lines=1.0, finish=filters.pixel),
    "blueprint": LookRecipe((*_DRAWN, "look_blueprint.frag"), lines=1.4),
    "popart": LookRecipe((*_DRAWN, "look_popart.frag"), lines=1.8, finish=filters.popart),
    "marble": LookRecipe(("lit.glsl", "paper.glsl", "look_marble.frag"), lines=1.0),
    "bronze": LookRecipe(("lit.glsl", "paper.glsl", "look_bronze.frag"), lines=1.0),
    "hologram": LookRecipe((*_DRAWN, "look_hologram.frag"), lines=1.2),
}
