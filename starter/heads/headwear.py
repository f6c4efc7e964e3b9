"""What a head can wear, and how hair gives way to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from starter.heads.dome import ROUNDNESS, Dome, fit_dome
from starter.heads.hats import add_brim, add_crown, add_fold, add_visor
from starter.heads.identity import Rgb
from starter.heads.mesh import POSITION, MeshBuilder
from starter.heads.scarf import add_scarf
from starter.heads.surface import HeadSurface

HatKind = Literal["none", "cap", "beanie", "wide-brim", "headscarf"]
HATS: tuple[HatKind, ...] = get_args(HatKind)
PATTERNS: Mapping[HatKind, int] = {"none": 0, "cap": 2, "beanie": 1, "wide-brim": 3, "headscarf": 4}
"""What shaders/gbuffer.frag draws on each: knit, panels, felt, folds."""


@dataclass(frozen=True)
class Headwear:
    """A hat (or "none") with its colours, linear; `second` is that of band, brim or fold."""

    kind: HatKind = "none"
    color: str = "black"
    rgb: Rgb = (0.02, 0.02, 0.02)
    second: Rgb = (0.02, 0.02, 0.02)


def add_headwear(mesh: MeshBuilder, surface: HeadSurface, kind: HatKind) -> Dome | None:
    """Add a hat and return its dome, under which hair must be tucked; None without one."""
    if kind == "none":
        return None
    if kind == "headscarf":
        add_scarf(mesh, surface)
        return None
    dome = fit_dome(surface, kind)
    add_crown(mesh, dome, kind)
    if kind == "beanie":
        add_fold(mesh, dome)
    elif kind == "cap":
        add_visor(mesh, dome)
    else:
        add_brim(mesh, dome)
    return dome


def tuck(mesh: MeshBuilder, first_part: int, dome: Dome) -> None:
    """Push the parts from `first_part` on (the hair) under the dome; below its rim hair may swell again."""
    for block in mesh.parts[first_part:]:
        local = dome.local(block[:, POSITION])
        over = np.clip(local[:, 2], 0, None)
        reach = (np.hypot(local[:, 0], local[:, 1]) ** ROUNDNESS + over**ROUNDNESS) ** (1 / ROUNDNESS)
        limit = 0.93 + 1.6 * np.clip(-local[:, 2] - 0.02, 0, None)
        shrink = np.minimum(1, limit / np.maximum(reach, 1e-6))[:, None]
        scale = np.concatenate([shrink, shrink, np.where(local[:, 2:] > 0, shrink, 1)], axis=1)
        moved = np.where(local[:, 2:] > -0.6, local * scale, local)
        block[:, POSITION] = dome.world(moved)
