"""Afro: a couple of thousand small curls, drawn as spheres around the scalp."""

import numpy as np

from starter.heads.arrays import normalised, smoothstep
from starter.heads.hair.styles import Quirks
from starter.heads.mesh import Material, MeshBuilder, sphere
from starter.heads.regions import HAIRLINE_Y, above_hairline, reference, scalp
from starter.heads.surface import HeadSurface

CURLS = 2300
CURL_KIND = 2.0


def add_afro(mesh: MeshBuilder, surface: HeadSurface, quirks: Quirks, rng: np.random.Generator) -> None:
    """Add the curls; `quirks.volume` sets how far they stand off."""
    ref = reference()
    height = above_hairline(ref.points, HAIRLINE_Y + quirks.hairline)
    candidates = scalp()[height[scalp()] > 0]
    weight = ref.areas[candidates] * (1 + 0.8 * np.exp(-5 * height[candidates]))
    chosen = rng.choice(candidates, CURLS, p=weight / weight.sum())
    reach = (0.30 + 0.3 * quirks.volume) * surface.half_depth * smoothstep(-0.05, 0.5, height[chosen]) + 0.05
    normals = surface.normals[chosen]
    centres = surface.skin[chosen] + normals * (reach * rng.uniform(0.6, 1, CURLS))[:, None]
    ball, ball_triangles = sphere(6, 4)
    radius = rng.uniform(0.055, 0.09, CURLS) * surface.half_depth
    points = (centres[:, None] + ball[None] * radius[:, None, None]).reshape(-1, 3)
    outward = normalised(normals[:, None] * 0.9 + ball[None] * 0.6).reshape(-1, 3)
    triangles = (ball_triangles[None] + (np.arange(CURLS) * len(ball))[:, None, None]).reshape(-1, 3)
    # Curls near the skin lie deeper and are drawn darker.
    depth = np.repeat(np.clip(0.3 + 0.7 * reach / reach.max(), 0, 1), len(ball))
    brightness = np.repeat(rng.random(CURLS) * 0.5 + 0.2, len(ball))
    ones = np.ones(len(points))
    shade = np.column_stack([ones, brightness, ones * CURL_KIND])
    data = np.column_stack([np.cross(outward, [0.3, 0.8, 0.5]), depth])
    mesh.add(Material.HAIR, points, outward, triangles, shade, data)
