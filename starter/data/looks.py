"""The same scenes in other looks, as `render --looks` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starter.data.manifest import Sample

MAIN_LOOK = "render"


def looks_of(samples: Sequence[Sample]) -> list[str]:
    """Looks, other than the generator's own, that any of `samples` was drawn in, as first met."""
    found = {look: None for sample in samples for look in sample.looks}
    return [look for look in found if look != MAIN_LOOK]


def in_look(samples: Sequence[Sample], look: str) -> list[Sample]:
    """Those of `samples` that were drawn in `look`, with that picture as their image."""
    return [replace(sample, image=sample.looks[look]) for sample in samples if look in sample.looks]


def in_every_look(samples: Sequence[Sample]) -> list[Sample]:
    """`samples`, and each again in every other look that it was drawn in."""
    return [*samples, *(drawn for look in looks_of(samples) for drawn in in_look(samples, look))]
