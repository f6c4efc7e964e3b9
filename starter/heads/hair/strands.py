"""Hair as several hundred tapered tubes that flow along the head."""

from dataclasses import dataclass

import numpy as np

from starter.heads.arrays import Floats, normalised, smoothstep
from starter.heads.hair.flows import Roots
from starter.heads.hair.styles import Cut, Quirks
from starter.heads.mesh import Material, MeshBuilder, tubes
from starter.heads.regions import HAIRLINE_Y, above_hairline, reference, scalp
from starter.heads.surface import HeadSurface

STRAND_KIND = 1.0
POINTS = 10  # along a finished strand
FRINGE_OVER_EYES = 0.20


def add_strands(
    mesh: MeshBuilder,
    surface: HeadSurface,
    cut: Cut,
    quirks: Quirks,
    rng: np.random.Generator,
    eye_y: float,
    knot: Floats,
) -> None:
    """Grow, cut and wrap the strands of one haircut."""
    roots = _plant(surface, cut, quirks, rng, knot)
    lines = _grow(surface, cut, quirks, roots, rng)
    if cut.end_y is not None:
        end_y = cut.end_y(surface, quirks.level) + rng.normal(0, 0.05, len(lines))
        over = roots.fringe
        end_y[over] = eye_y + FRINGE_OVER_EYES + rng.normal(0, 0.03, int(over.sum()))
        lines = cut_at(lines, end_y, POINTS)
    for _ in range(2):
        lines[:, 1:-1] = 0.25 * lines[:, :-2] + 0.5 * lines[:, 1:-1] + 0.25 * lines[:, 2:]
    width, depth = _widths(cut, len(lines), rng, surface.half_depth)
    add_tubes(mesh, Material.HAIR, lines, width, depth, _outward(surface, lines), rng)


def add_tubes(
    mesh: MeshBuilder,
    material: Material,
    lines: Floats,
    width: Floats,
    depth: Floats,
    outward: Floats,
    rng: np.random.Generator,
) -> None:
    """Wrap lines (n, s, 3) into strands of individual brightness."""
    wrapped = tubes(lines, width, depth, outward)
    each = len(wrapped.points) // len(lines)
    brightness = np.repeat(rng.random(len(lines)), each)
    ones = np.ones(len(wrapped.points))
    shade = np.column_stack([ones, brightness, ones * STRAND_KIND])
    data = np.column_stack([wrapped.tangents, wrapped.along])
    mesh.add(material, wrapped.points, wrapped.normals, wrapped.triangles, shade, data)


def cut_at(lines: Floats, end_y: Floats, points: int) -> Floats:
    """Shorten each line (n, s, 3) at the first point below its `end_y` and resample it to `points` points."""
    steps = lines.shape[1]
    below = lines[:, :, 1] < end_y[:, None]
    last = np.maximum(np.where(below.any(axis=1), below.argmax(axis=1), steps - 1), 2).astype(float)
    place = np.linspace(0, 1, points)[None] * last[:, None]
    low = np.clip(place.astype(int), 0, steps - 2)
    share = (place - low)[..., None]
    before = np.take_along_axis(lines, low[..., None], axis=1)
    after = np.take_along_axis(lines, (low + 1)[..., None], axis=1)
    return np.asarray(before * (1 - share) + after * share)


def _plant(surface: HeadSurface, cut: Cut, quirks: Quirks, rng: np.random.Generator, knot: Floats) -> Roots:
    """Choose roots by area, denser near the hairline, where gaps would show."""
    ref = reference()
    height = above_hairline(ref.points, HAIRLINE_Y + quirks.hairline)
    x, y, z = ref.points[scalp()].T
    candidates = scalp()[(height[scalp()] > 0) & (np.abs(x) < cut.half_strip) & (y > cut.above_y)]
    weight = ref.areas[candidates] * (1 + 2.2 * np.exp(-6 * np.clip(height[candidates], 0, 1)))
    chosen = rng.choice(candidates, cut.strands, p=weight / weight.sum())
    x, y, z = ref.points[chosen].T
    parting = cut.parting(quirks)
    return Roots(
        points=surface.skin[chosen] + rng.normal(0, 0.02, (cut.strands, 3)),
        normals=surface.normals[chosen],
        reference=ref.points[chosen],
        side=np.where(x > parting + 0.001, 1.0, -1.0),
        front=smoothstep(0.5, 1.2, z),
        top=smoothstep(7.6, 8.3, y),
        fringe=np.asarray(cut.has_fringe & (z > 0.72) & (y > 7.85) & (np.abs(x) < 0.8)),
        parting=parting,
        phase=float(rng.random()),
        knot=knot[(x > parting).astype(int)],
    )


@dataclass(frozen=True)
class _Body:
    """How far strands stay above the skin: base for all, clump for each (n,)."""

    base: float
    clump: Floats

    def clearance(self, t: float, step: int, lies_flat: bool) -> Floats:
        ramp = min(1.0, step / 2)
        if lies_flat:
            return np.asarray((0.07 + self.clump * 0.7) * ramp * (1 + 0.6 * np.sin(np.pi * min(1, t * 1.3))))
        return np.asarray((self.base * 0.65 + self.clump * 0.8) * ramp)


def _grow(surface: HeadSurface, cut: Cut, quirks: Quirks, roots: Roots, rng: np.random.Generator) -> Floats:
    """Centre lines (n, steps, 3)."""
    count = len(roots.points)
    spread = 1.0 if cut.end_y is not None else rng.uniform(0.85, 1.12, count) * (0.85 + 0.3 * quirks.length)
    length = np.broadcast_to(cut.length * surface.half_depth * spread, count)
    step = length[:, None] / (cut.steps - 1)
    body = _Body(cut.cap, rng.uniform(0.04, 0.14, count))
    jitter = rng.normal(0, 0.05, (count, 3))
    tips: Floats = roots.points + roots.normals * 0.01
    heading: Floats = np.zeros_like(tips)
    lines = [roots.points]
    for k in range(1, cut.steps):
        t = k / (cut.steps - 1)
        wish: Floats = cut.flow(roots, tips, t) + jitter
        if cut.gathered:  # arrive at the knot with the last step
            distance = np.linalg.norm(roots.knot - tips, axis=1, keepdims=True)
            step = np.minimum(distance / (cut.steps - k + 0.01) * 1.25, 0.5)
        wish = _held_by_head(surface, tips, wish)
        heading = normalised(wish if k == 1 else 0.5 * heading + 0.6 * wish)
        tips = tips + heading * step
        if cut.rests_on_head:
            tips = surface.lifted(tips, body.clearance(t, k, cut.lies_flat))
        lines.append(tips)
    return np.stack(lines, axis=1)


def _held_by_head(surface: HeadSurface, tips: Floats, wish: Floats) -> Floats:
    """Unit directions: strands far from the head are pulled back to it, near ones cannot grow into it."""
    tree, _, normals = surface.touchable
    distance, nearest = tree.query(tips)
    normal = normals[nearest]
    far = np.clip((distance - 0.26 * surface.half_depth - 0.1) * 2.2, 0, 0.9)
    wish = wish - normal * (far * (tips[:, 1] > surface.jaw_y - 0.3))[:, None]
    near = np.clip(1 - (distance - 0.05) / 0.25, 0, 1)
    inward = np.minimum((wish * normal).sum(axis=1), 0) * near
    wish = wish - inward[:, None] * normal
    return np.asarray(wish / (np.linalg.norm(wish, axis=1, keepdims=True) + 1e-6))


def _outward(surface: HeadSurface, lines: Floats) -> Floats:
    """Strands lie flat: between the skin's normal and the direction away from the centre of the hair."""
    tree, _, normals = surface.touchable
    points = lines.reshape(-1, 3)
    _, nearest = tree.query(points)
    radial = points - surface.hair_centre
    radial = radial / np.linalg.norm(radial, axis=1, keepdims=True)
    return np.asarray((0.5 * radial + 0.5 * normals[nearest]).reshape(lines.shape))


def _widths(cut: Cut, count: int, rng: np.random.Generator, half_depth: float) -> tuple[Floats, Floats]:
    t = np.linspace(0, 1, POINTS)[None]
    root = (rng.uniform(0.06, 0.11, count) * half_depth * cut.width)[:, None]
    if cut.gathered:
        width = np.broadcast_to(root * 0.66, (count, POINTS))
        return width, width * 0.35
    width = root * np.clip((1 - t) ** cut.taper, 0.06, 1) * np.clip(0.55 + t * 3, 0, 1)
    return width, width * 0.45
