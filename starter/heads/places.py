"""Places on the neutral head that landmarks and marks are bound to, as skin vertices with weights.

Left is the viewer's left.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from starter.heads.arrays import Bools, Floats, Ints
from starter.heads.assets import load_assets
from starter.heads.identity import Brows
from starter.heads.painting.brows import brow_curve
from starter.heads.regions import faces_outwards, reference
from starter.heads.shape import shape_neutral

SIDES = (("left", -1), ("right", 1))


@dataclass(frozen=True)
class Places:
    """Points on the skin: vertices (n, 4) and their weights (n, 4), rows of which sum to one."""

    vertices: Ints
    weights: Floats

    def on(self, skin: Floats) -> Floats:
        """The points (n, 3) on this skin (m, 3)."""
        return np.asarray((skin[self.vertices] * self.weights[..., None]).sum(axis=1))


def on_face(x: Floats, y: Floats) -> Places:
    """Places on the front of the neutral face at (x, y), decimetres."""
    tree, index = _front()
    distance, nearest = tree.query(np.column_stack([x, y]), k=4)
    weights = 1 / (distance + 2e-3) ** 2
    return Places(index[nearest], weights / weights.sum(axis=1, keepdims=True))


@cache
def _front() -> tuple[cKDTree, Ints]:
    ref = reference()
    index = np.flatnonzero(
        (ref.points[:, 2] > 0.45) & (ref.mouth < 0.3) & (ref.ears < 0.1) & faces_outwards()
    )
    return cKDTree(ref.points[index, :2]), index


def brow_places(brows: Brows) -> tuple[list[str], Places]:
    """Upper and lower edge of the drawn brows, from the nose outwards."""
    curve = brow_curve(brows)
    names, x, y = [], [], []
    for name, side in SIDES:
        for edge, sign, steps in (("upper", 1, (0.06, 0.3, 0.55, 0.78, 0.98)), ("lower", -1, (0.1, 0.6))):
            for k, t in enumerate(steps):
                names.append(f"{name}_brow_{edge}_{k}")
                x.append(side * np.interp(t, curve.t, curve.x))
                y.append(np.interp(t, curve.t, curve.y + sign * 0.75 * curve.half_width))
    return names, on_face(np.array(x), np.array(y))


@cache
def fixed_places() -> tuple[Places, tuple[str, ...]]:
    """Places that are the same on every character, and their names."""
    single = {**_outline(), **_eyelids(), **_lips()}
    on_front = _nose_and_cheeks()
    front = on_face(np.array([x for x, _ in on_front.values()]), np.array([y for _, y in on_front.values()]))
    vertices = np.concatenate(
        [np.repeat(np.array(list(single.values()))[:, None], 4, axis=1), front.vertices]
    )
    weights = np.concatenate([np.full((len(single), 4), 0.25), front.weights])
    return Places(vertices, weights), (*single, *on_front)


def _outline() -> dict[str, int]:
    """Jaw from ear to ear through the chin, and the forehead at the hairline: skin vertices."""
    ref = reference()
    places: dict[str, int] = {}
    jaw = np.array(
        [(0.70, 7.20, 0.72), (0.685, 7.0, 0.72), (0.66, 6.82, 0.74), (0.615, 6.64, 0.82), (0.55, 6.48, 0.93),
         (0.46, 6.36, 1.08), (0.35, 6.27, 1.22), (0.18, 6.20, 1.38)]
    )  # fmt: skip
    top = np.array([(0.68, 7.62, 0.95), (0.62, 7.84, 1.08), (0.45, 7.98, 1.27), (0.23, 8.02, 1.36)])
    bare = np.flatnonzero((ref.mouth < 0.3) & (ref.ears < 0.3))
    tree = cKDTree(ref.points[bare])
    for name, side in SIDES:
        for k, place in enumerate(jaw):
            places[f"{name}_jaw_{k}"] = int(bare[tree.query(place * [side, 1, 1])[1]])
        for k, place in enumerate(top):
            places[f"{name}_forehead_{k}"] = int(bare[tree.query(place * [side, 1, 1])[1]])
    places["chin"] = int(bare[tree.query((0, 6.18, 1.47))[1]])
    places["forehead"] = int(bare[tree.query((0, 8.03, 1.39))[1]])
    return places


def _eyelids() -> dict[str, int]:
    """The rim of the eye: skin vertices nearest to the roots of the lashes, and both corners."""
    assets, ref = load_assets(), reference()
    lids = np.flatnonzero((ref.eyelids > 0.02) & (ref.points[:, 2] > 0.9))
    tree = cKDTree(ref.points[lids])
    places = {}
    for name, side in SIDES:
        letter = "l" if side > 0 else "r"
        for edge, row in (("upper", 2), ("lower", 1)):
            roots = assets.vertices[np.unique(assets.parts[f"helper-{letter}-eyelashes-{row}"])]
            roots = roots[tree.query(roots)[0] < 0.02]
            span = np.linspace(np.abs(roots[:, 0]).min(), np.abs(roots[:, 0]).max(), 7)[1:-1]
            for k, x in enumerate(span):
                root = roots[np.argmin(np.abs(np.abs(roots[:, 0]) - x))]
                places[f"{name}_eye_{edge}_{k}"] = int(lids[tree.query(root)[1]])
        for corner, x, y in (("outer", 0.47, 7.27), ("inner", 0.165, 7.255)):
            near = np.hypot(ref.points[lids, 0] - side * x, ref.points[lids, 1] - y)
            places[f"{name}_eye_{corner}"] = int(lids[np.argmin(near)])
    return places


def _lips() -> dict[str, int]:
    """Outer edge and inner rim of the lips; the inner one is found on a mouth that is open."""
    ref, assets = reference(), load_assets()
    opened = assets.subdivision(shape_neutral({"jawOpen": 0.5})[assets.skin])
    lips = np.flatnonzero((ref.lips > 0.45) & (ref.points[:, 2] > 1.2))
    x, y = ref.points[lips, 0], ref.points[lips, 1]
    places: dict[str, int] = {}
    for name, side in SIDES:
        places[f"{name}_mouth_corner"] = int(lips[np.argmax(x * side - 4 * ref.mouth[lips])])
    reach = float(np.abs(x).max())
    is_upper = opened[lips, 1] > opened[lips[np.argmax(np.abs(x))], 1] - 0.02
    for k, share in enumerate((-0.68, -0.2, 0.0, 0.2, 0.68)):
        near = np.abs(x - share * reach) < 0.022
        places[f"upper_lip_{k}"] = _extreme(lips, near & is_upper, ref.points[lips, 1])
        places[f"lower_lip_{k}"] = _extreme(lips, near & ~is_upper, -ref.points[lips, 1])
    outer = ref.mouth[lips] < 0.5
    for k, share in enumerate((-0.6, -0.3, 0.0, 0.3, 0.6)):
        near = (np.abs(x - share * reach) < 0.022) & outer
        places[f"upper_lip_inner_{k}"] = _extreme(
            lips, near & is_upper, -opened[lips, 1] + 0.4 * opened[lips, 2]
        )
        places[f"lower_lip_inner_{k}"] = _extreme(
            lips, near & ~is_upper, opened[lips, 1] + 0.4 * opened[lips, 2]
        )
    del y
    return places


def _extreme(index: Ints, where: Bools, value: Floats) -> int:
    candidates = np.flatnonzero(where)
    return int(index[candidates[np.argmax(value[candidates])]])


def _nose_and_cheeks() -> dict[str, tuple[float, float]]:
    places = {f"nose_bridge_{k}": (0.0, y) for k, y in enumerate((7.34, 7.24, 7.14, 7.04))}
    places |= {"nose_tip": (0.0, 6.925), "nose_base": (0.0, 6.815)}
    for name, side in SIDES:
        places |= {
            f"{name}_nose_wing_top": (side * 0.13, 6.96),
            f"{name}_nose_wing": (side * 0.165, 6.885),
            f"{name}_nostril": (side * 0.075, 6.825),
            f"{name}_cheekbone": (side * 0.47, 7.06),
            f"{name}_cheek": (side * 0.44, 6.80),
        }
    places |= {"glabella": (0.0, 7.5), "chin_front": (0.0, 6.35)}
    return places


def _names() -> tuple[str, ...]:
    brows = [
        f"{side}_brow_{edge}_{k}"
        for side, _ in SIDES
        for edge, n in (("upper", 5), ("lower", 2))
        for k in range(n)
    ]
    return (*fixed_places()[1], *brows, "left_pupil", "right_pupil")


LANDMARK_NAMES: tuple[str, ...] = _names()
"""Order of the landmarks in every manifest; frozen."""


def sides_swapped() -> Ints:
    """Indices (106,): landmark k of a mirrored picture is the landmark of this number in the other."""
    return np.array([LANDMARK_NAMES.index(_mirror_name(name)) for name in LANDMARK_NAMES])


def _mirror_name(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    if "_lip_" in name:
        stem, _, k = name.rpartition("_")
        return f"{stem}_{4 - int(k)}"
    return name
