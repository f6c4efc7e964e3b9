"""Face sliders: pairs of opposite MakeHuman targets ("nose-width-decr" / "-incr") as one signed number each.

Left and right targets of the same name move together. The key of a slider is its stem and its pair
("nose-trans:up..." and "nose-trans:in..." are two sliders), of a one-sided shape its bare name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from starter.heads.assets import load_assets

PAIRS = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
)
_FACE = re.compile(
    r"nose|eye-|mouth|chin|cheek|forehead|head-|eyebrows|ear-|neck-(scale|double)|measure-neck-circ"
)
_NOT_FACE = ("head-trans", "head-age")  # moving the whole head, and a second age control


@dataclass(frozen=True)
class Slider:
    """Targets for negative and for positive values; a one-sided shape has no negative ones."""

    negative: tuple[str, ...]
    positive: tuple[str, ...]


def group_sliders(names: Iterable[str]) -> dict[str, Slider]:
    """Pair up target names (without the "local/" prefix); asymmetry targets are left out."""
    known = {name for name in names if not name.startswith("asym")}
    sides: dict[str, tuple[list[str], list[str]]] = {}
    for name in sorted(known):
        opposite = _opposite(name, known)
        stem = re.sub(r"^[lr]-", "", name)
        if opposite is None:
            sides.setdefault(stem, ([], []))[1].append(name)
            continue
        other, is_negative, pair = opposite
        if is_negative:
            key = f"{stem.rpartition('-')[0]}:{pair}"
            negative, positive = sides.setdefault(key, ([], []))
            negative.append(name)
            positive.append(other)
    return {key: Slider(tuple(negative), tuple(positive)) for key, (negative, positive) in sides.items()}


def _opposite(name: str, known: set[str]) -> tuple[str, bool, str] | None:
    for low, high in PAIRS:
        for end, other_end in ((low, high), (high, low)):
            if name.endswith("-" + end) and (other := name.removesuffix(end) + other_end) in known:
                return other, end == low, f"{low}/{high}"
    return None


@cache
def all_sliders() -> dict[str, Slider]:
    """Every slider of the shipped asset."""
    targets = load_assets().targets
    return group_sliders(name.removeprefix("local/") for name in targets if name.startswith("local/"))


@cache
def face_sliders() -> tuple[str, ...]:
    """The signed sliders that shape a face, in a fixed order."""
    return tuple(
        key
        for key, slider in all_sliders().items()
        if slider.negative and _FACE.match(key) and not key.startswith(_NOT_FACE)
    )


@cache
def head_shapes() -> tuple[str, ...]:
    """One-sided head outlines: oval, round, square, ..."""
    return tuple(
        key for key, slider in all_sliders().items() if not slider.negative and key.startswith("head-")
    )


@cache
def ear_shapes() -> tuple[str, ...]:
    """One-sided ear outlines."""
    return _one_sided("ear-shape")


@cache
def asymmetries() -> tuple[str, ...]:
    """Targets that move one side of the face only."""
    names = (name.removeprefix("local/") for name in load_assets().targets)
    return tuple(sorted(name for name in names if name.startswith("asym")))


def _one_sided(prefix: str) -> tuple[str, ...]:
    sliders = all_sliders().items()
    return tuple(key for key, slider in sliders if not slider.negative and key.startswith(prefix))
