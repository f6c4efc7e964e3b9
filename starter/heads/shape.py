"""From an identity and facial actions to vertex positions: a plain sum of weighted blend shapes."""

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from starter.heads.arrays import Floats
from starter.heads.assets import load_assets
from starter.heads.identity import Body, Identity
from starter.heads.sliders import all_sliders

LEAST_WEIGHT = 1e-4
_AGES = {"child": 1 / 3, "young": 2 / 3, "old": 1.0}
_MUSCLE = {"minmuscle": 0.0, "averagemuscle": 0.5, "maxmuscle": 1.0}
_WEIGHT = {"minweight": 0.0, "averageweight": 0.5, "maxweight": 1.0}
_PROPORTIONS = {"uncommonproportions": 0.0, "averageproportions": 0.5, "idealproportions": 1.0}


def shape_head(identity: Identity, actions: Mapping[str, float]) -> Floats:
    """Vertices (n, 3) float32, decimetres, of all parts before smoothing and before the head is turned."""
    assets = load_assets()
    vertices = assets.vertices.copy()
    for name, weight in target_weights(identity, actions):
        if abs(weight) > LEAST_WEIGHT and name in assets.targets:
            target = assets.targets[name]
            vertices[target.index] += np.float32(weight) * target.offset
    return vertices


def shape_neutral(actions: Mapping[str, float]) -> Floats:
    """The neutral head of the asset with facial actions, as `shape_head` gives it."""
    assets = load_assets()
    vertices = assets.vertices.copy()
    for action, weight in actions.items():
        target = assets.targets[f"unit/{action}"]
        vertices[target.index] += np.float32(weight) * target.offset
    return vertices


def target_weights(identity: Identity, actions: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Every blend shape with its weight; a proportions target that has no file is average by definition."""
    yield from _macro_weights(identity.body)
    sliders = all_sliders()
    for name, value in identity.sliders.items():
        slider = sliders[name]
        for target in slider.positive if value > 0 else slider.negative:
            yield f"local/{target}", abs(value)
    for name, value in identity.asymmetry.items():
        yield f"local/{name}", value
    for name, value in actions.items():
        yield f"unit/{name}", value


def _macro_weights(body: Body) -> Iterator[tuple[str, float]]:
    genders = {"female": 1 - body.gender, "male": body.gender}
    ages = _blend(body.age, _AGES)
    ancestry = {"african": body.african, "asian": body.asian, "caucasian": body.caucasian}
    total = sum(ancestry.values())
    muscles, weights = _blend(body.muscle, _MUSCLE), _blend(body.weight, _WEIGHT)
    proportions = _blend(body.proportions, _PROPORTIONS)
    for (gender, g), (age, a) in itertools.product(genders.items(), ages.items()):
        for origin, o in ancestry.items():
            yield f"macro/{origin}-{gender}-{age}", g * a * o / total
        for (muscle, m), (weight, w) in itertools.product(muscles.items(), weights.items()):
            build = f"{gender}-{age}-{muscle}-{weight}"
            yield f"macro/universal-{build}", g * a * m * w
            for proportion, p in proportions.items():
                yield f"proportions/{build}-{proportion}", g * a * m * w * p


def _blend(value: float, anchors: Mapping[str, float]) -> dict[str, float]:
    """Linear interpolation weights between the two anchors around `value`; they sum to one."""
    places = np.array(list(anchors.values()))
    corners = np.eye(len(places))
    return {name: float(np.interp(value, places, corners[i])) for i, name in enumerate(anchors)}
