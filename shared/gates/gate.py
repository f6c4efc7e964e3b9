"""A calibrated gate: thresholds for false-accept rates by number of references. Pure data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors.common import ValueOutOfRange

RATES = (1e-1, 1e-2, 1e-3, 1e-4)
"""False-accept rates that a calibration tries for, the largest first."""

DEFAULT_RATE = 1e-3

Interval = tuple[float, float]
"""Ends of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on the best similarity to any of some references, and what it does.

    Attributes:
        references: how many references a face is compared with, at least 1.
        rate: the share of strangers that was asked for.
        threshold: cosine from which a face is let through.
        false_accept_rate: share of strangers' faces with a similarity at or above the threshold.
        false_accept_interval: of that share.
        false_reject_rate: share of the person's own pictures below the threshold.
        false_reject_interval: of that share.
        is_bound: True where the data had too few pictures a person for so many references, so that the rates
            are upper bounds from fewer references (`points.Strangers`).
    """

    references: int
    rate: float
    threshold: float
    false_accept_rate: float
    false_accept_interval: Interval
    false_reject_rate: float
    false_reject_interval: Interval
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """The operating points of one embedder.

    Attributes:
        model: name of the embedder; its embeddings alone may be compared with these thresholds.
        points: one per number of references and rate; each number has every rate.
        persons: how many people were measured.
        pictures: how many pictures of them.
        provenance: where the data came from and how the gate was made, in words.

    Raises:
        ValueError: there are no points, or a rate is missing for a number of references.
    """

    model: str
    points: tuple[OperatingPoint, ...]
    persons: int = 0
    pictures: int = 0
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = {(point.references, point.rate) for point in self.points}
        if not found or found != {(n, rate) for n, _ in found for _, rate in found}:
            raise ValueError(f"the gate of {self.model} lacks a threshold for some rate")
        if len(found) != len(self.points):
            raise ValueError(f"the gate of {self.model} has two thresholds for one rate")

    @property
    def rates(self) -> tuple[float, ...]:
        """The calibrated rates, the largest first."""
        return tuple(sorted({point.rate for point in self.points}, reverse=True))

    @property
    def default_rate(self) -> float:
        """One in a thousand, or the rate nearest to it that the data sufficed for."""
        return min(self.rates, key=lambda rate: abs(math.log(rate / DEFAULT_RATE)))

    def for_(self, references: int, rate: float | None = None) -> OperatingPoint:
        """The point for at least so many references, or for the most that there is.

        The best of more references is larger, for strangers too, so that the point of the next larger
        number that was calibrated is the strict side.

        Args:
            references: how many there are, at least 1.
            rate: one of `rates`; None takes the default.

        Raises:
            ValueOutOfRange: the rate is none of those calibrated; the error names them.
        """
        known = self.rates
        rate = self.default_rate if rate is None else rate
        if not any(_is_same(rate, one) for one in known):
            names = "one of " + ", ".join(f"{one:g}" for one in known)
            raise ValueOutOfRange(field="false_accept_rate", value=f"{rate:g}", range=names)
        points = sorted((p for p in self.points if _is_same(p.rate, rate)), key=lambda p: p.references)
        return next((p for p in points if p.references >= references), points[-1])


def _is_same(rate: float, other: float) -> bool:
    # A rate that came as a 32-bit float of the wire is off by some 1e-8 of itself.
    return math.isclose(rate, other, rel_tol=1e-6)
