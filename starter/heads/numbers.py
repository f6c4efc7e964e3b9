"""The numbers that make an identity, as one vector: the ground truth for identity networks."""

from functools import cache

from starter.heads.identity import Identity
from starter.heads.sliders import all_sliders, asymmetries

_BODY = ("gender", "age", "muscle", "weight", "proportions", "african", "asian", "caucasian")
_SKIN = ("melanin", "redness", "undertone", "lip_color", "makeup", "pores", "lines")
_BROWS = ("thickness", "arch", "height", "length", "density", "tilt")


@cache
def number_names() -> tuple[str, ...]:
    """Names in the order of `numbers_of`; the same for every identity."""
    return (
        *(f"body/{name}" for name in _BODY),
        *(f"slider/{name}" for name in sorted(all_sliders())),
        *(f"asymmetry/{name}" for name in asymmetries()),
        *(f"skin/{name}" for name in _SKIN),
        *(f"brows/{name}" for name in _BROWS),
    )


def numbers_of(identity: Identity) -> list[float]:
    """The values of `number_names`, rounded to four decimals; a slider that is not used is 0."""
    values = [
        *(getattr(identity.body, name) for name in _BODY),
        *(identity.sliders.get(name, 0.0) for name in sorted(all_sliders())),
        *(identity.asymmetry.get(name, 0.0) for name in asymmetries()),
        *(getattr(identity.skin, name) for name in _SKIN),
        *(getattr(identity.brows, name) for name in _BROWS),
    ]
    return [round(float(value), 4) for value in values]
