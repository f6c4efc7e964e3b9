"""Random adult characters. Ranges: wide enough to tell people apart, narrow enough that none looks alien."""

from dataclasses import dataclass

import numpy as np

from starter.heads import palette
from starter.heads.hair.names import FEMALE_STYLES, MALE_STYLES, hair_of
from starter.heads.identity import BEARDS, BeardStyle, Body, Brows, Identity, Mark, Rgb, Skin
from starter.heads.sliders import asymmetries, ear_shapes, face_sliders, head_shapes

SLIDER_SIGMA = 0.24
SLIDER_LIMIT = 0.95
SLIDER_ACTIVE = 0.75
DYED = ("blue", "pink", "purple", "green", "platinum")
OLD = 0.8  # from this age on, hair turns grey and skin wrinkles
_CALM = (
    *("ear-", "neck", "measure", "head-scale", "head-angle", "head-trans", "eye-bag", "eye-push"),
)  # sliders that distort soon
_EYE_SIZE = ("eye-scale", "eye-height")
FRIENDLIER = {
    "eye-scale:decr/incr": 0.34,
    "eyebrows-angle:down/up": 0.25,
    "mouth-angles:down/up": 0.2,
    "nose-hump:decr/incr": -0.1,
}
"""Where the sliders of all faces centre: MakeHuman's average has small eyes and looks stern."""
FEMININE = {
    "eye-scale:decr/incr": 0.46,
    "chin-width:decr/incr": -0.25,
    "chin-bones:decr/incr": -0.25,
    "nose-scale-horiz:decr/incr": -0.2,
    "nose-scale-vert:decr/incr": -0.12,
    "nose-volume:decr/incr": -0.2,
    "mouth-scale-horiz:decr/incr": -0.12,
    "mouth-lowerlip-volume:decr/incr": 0.25,
    "mouth-upperlip-volume:decr/incr": 0.25,
    "neck-scale-horiz:decr/incr": -0.3,
}
"""The same for women, on top of their shape."""
LINES_FROM = 0.68  # of the age: nobody younger has wrinkles
FRECKLED_SHARE, MOST_FRECKLES, SCAR_SHARE = 0.25, 60, 0.06
SCAR_PLACES = ((0.42, 6.95), (0.3, 7.75), (0.47, 7.45), (0.25, 6.38), (0.5, 6.7))
"""Cheek, forehead, brow, chin, jaw; decimetres on the reference head."""
_LIGHT_SKIN_HAIR = np.array([0.25, 0.25, 0.22, 0.08, 0.13, 0.07])
_DARK_SKIN_HAIR = np.array([0.6, 0.3, 0.08, 0.02, 0.0, 0.0])
_LIGHT_SKIN_EYES = np.array([0.22, 0.2, 0.16, 0.12, 0.2, 0.1])
_DARK_SKIN_EYES = np.array([0.4, 0.5, 0.1, 0.0, 0.0, 0.0])
_DARK_FROM = 0.3  # melanin


def sample_identity(rng: np.random.Generator) -> Identity:
    """Draw one character; equal generators give equal characters."""
    body = _sample_body(rng)
    skin = _sample_skin(rng, body)
    coloring = _sample_coloring(rng, body, skin)
    style = str(rng.choice(FEMALE_STYLES if body.sex == "female" else MALE_STYLES))
    if body.african > 0.6 and rng.random() < 0.5:
        style = str(rng.choice(["afro", "afro", "locs", "braids" if body.sex == "female" else "buzzcut"]))
    return Identity(
        body=body,
        sliders=_sample_sliders(rng, body),
        asymmetry={
            str(name): float(rng.uniform(0, 0.3)) for name in rng.choice(asymmetries(), 8, replace=False)
        },
        skin=skin,
        hair=hair_of(rng, style, coloring.name, np.array(coloring.hair)),
        brows=_sample_brows(rng, body, coloring.brows),
        eye_color=_sample_eyes(rng, skin),
        beard=_sample_beard(rng, body),
        seed=int(rng.integers(1 << 30)),
    )


@dataclass(frozen=True)
class _Coloring:
    name: str
    hair: Rgb
    brows: Rgb


def _sample_body(rng: np.random.Generator) -> Body:
    bands = [(0.60, 0.72), (0.72, 0.86), (0.86, 1.0)]
    low, high = bands[rng.choice(len(bands), p=[0.45, 0.33, 0.22])]
    african, asian, caucasian = rng.dirichlet([0.55] * 3) + 1e-3
    return Body(
        gender=float(np.clip(rng.normal(0.03 if rng.random() < 0.5 else 0.96, 0.05), 0, 1)),
        age=float(rng.uniform(low, high)),
        muscle=float(rng.uniform(0.3, 0.75)),
        weight=float(np.clip(rng.normal(0.5, 0.2), 0.1, 1)),
        proportions=float(rng.uniform(0.55, 1)),
        african=float(african),
        asian=float(asian),
        caucasian=float(caucasian),
    )


def _slider_sigma(name: str) -> float:
    sigma = SLIDER_SIGMA * (0.6 if name.startswith(_CALM) else 1.0)
    if "-trans" in name:
        sideways = name.endswith("in/out") and not name.startswith("eye")
        sigma *= 0.25 if sideways else 0.7
    if name.startswith(_EYE_SIZE):
        sigma *= 0.6
    if name.startswith("eye-epicanthus"):
        sigma *= 0.8
    return sigma


def _sample_sliders(rng: np.random.Generator, body: Body) -> dict[str, float]:
    usual = {**FRIENDLIER, **(FEMININE if body.sex == "female" else {})}
    values = {}
    for name in face_sliders():
        drawn = rng.normal(0, _slider_sigma(name)) if rng.random() < SLIDER_ACTIVE else 0.0
        value = float(np.clip(usual.get(name, 0.0) + drawn, -SLIDER_LIMIT, SLIDER_LIMIT))
        if value:
            values[name] = value
    values[str(rng.choice(head_shapes()))] = float(rng.uniform(0, 0.6))
    if rng.random() < 0.5:
        values[str(rng.choice(head_shapes()))] = float(rng.uniform(0, 0.4))
    if rng.random() < 0.15:
        values[str(rng.choice(ear_shapes()))] = float(rng.uniform(0.2, 0.7))
    return values


def _sample_skin(rng: np.random.Generator, body: Body) -> Skin:
    usual = 0.14 * body.caucasian + 0.3 * body.asian + 0.85 * body.african
    melanin = float(np.clip(usual + rng.normal(0, 0.09), 0.03, 0.95))
    female = body.sex == "female"
    return Skin(
        melanin=melanin,
        redness=float(rng.uniform(0.2, 1)),
        undertone=float(rng.normal(0, 0.35)),
        marks=_sample_marks(rng, melanin),
        lip_color=float(rng.uniform(0.25, 0.95) if female else rng.uniform(0.05, 0.25)),
        lipstick=palette.LIPSTICKS[rng.integers(len(palette.LIPSTICKS))],
        makeup=float(rng.uniform(0.35, 0.9)) if female and rng.random() < 0.5 else 0.0,
        eyeshadow=palette.EYESHADOWS[rng.integers(len(palette.EYESHADOWS))],
        pores=float(rng.uniform(0, 0.6) + 0.4 * (body.age > OLD)),
        lines=float(np.clip((body.age - LINES_FROM) / (1 - LINES_FROM) * rng.uniform(0.85, 1.15), 0, 1)),
    )


def _sample_marks(rng: np.random.Generator, melanin: float) -> tuple[Mark, ...]:
    """Moles, now and then a scar, and freckles on light skin."""
    marks = [
        Mark(
            "mole",
            float(rng.uniform(-0.6, 0.6)),
            float(rng.uniform(6.35, 7.85)),
            float(rng.uniform(0.012, 0.024)),
        )
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))
    ]
    if rng.random() < SCAR_SHARE:
        x, y = SCAR_PLACES[rng.integers(len(SCAR_PLACES))]
        side = float(rng.choice([-1, 1]))
        radius, angle = float(rng.uniform(0.08, 0.17)), float(rng.uniform(0.6, 2.5))
        marks.append(Mark("scar", side * x, y, radius, float(rng.uniform(0.55, 0.8)), angle))
    if rng.random() < FRECKLED_SHARE and melanin < 0.35:
        for _ in range(int(rng.uniform(20, MOST_FRECKLES))):
            place = float(rng.normal(0, 0.30)), float(rng.normal(7.0, 0.13))
            marks.append(
                Mark("freckle", *place, float(rng.uniform(0.010, 0.017)), float(rng.uniform(0.6, 1.0)))
            )
    return tuple(marks)


def _sample_coloring(rng: np.random.Generator, body: Body, skin: Skin) -> _Coloring:
    weights = _LIGHT_SKIN_HAIR if skin.melanin < _DARK_FROM else _DARK_SKIN_HAIR
    natural = str(rng.choice(palette.NATURAL_HAIR, p=weights / weights.sum()))
    name = str(rng.choice(DYED)) if rng.random() < 0.09 else natural
    hair = np.array(palette.HAIR[name]) * rng.uniform(0.8, 1.25)
    brows = np.array(palette.HAIR["dark brown" if name in DYED else name]) * 0.8
    greying = max(0.0, (body.age - OLD) / (1 - OLD))
    if greying > 0.2 and rng.random() < greying + 0.1:
        share = 0.6 + 0.4 * greying
        name = "white" if share > 0.85 and rng.random() < 0.5 else "grey"
        grey = np.array(palette.HAIR[name])
        hair, brows = hair * (1 - share) + grey * share, brows * 0.45 + grey * 0.35
    return _Coloring(name, palette.rgb(hair), palette.rgb(brows))


def _sample_brows(rng: np.random.Generator, body: Body, color: Rgb) -> Brows:
    return Brows(
        thickness=float(rng.uniform(0.55, 1.1) * (0.7 if body.sex == "female" else 1.05)),
        arch=float(rng.normal(0.6, 0.4)),
        height=float(rng.normal(0, 0.4)),
        length=float(rng.uniform(0.85, 1.15)),
        density=float(rng.uniform(0.6, 1)),
        tilt=float(rng.normal(-0.1, 0.4)),
        color=color,
    )


def _sample_eyes(rng: np.random.Generator, skin: Skin) -> str:
    weights = _LIGHT_SKIN_EYES if skin.melanin < _DARK_FROM else _DARK_SKIN_EYES
    return str(rng.choice(list(palette.EYES), p=weights / weights.sum()))


def _sample_beard(rng: np.random.Generator, body: Body) -> BeardStyle:
    if body.sex == "female":
        return "none"
    return BEARDS[rng.choice(len(BEARDS), p=[0.36, 0.22, 0.12, 0.12, 0.18])]
