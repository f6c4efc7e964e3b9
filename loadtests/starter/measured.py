"""What a run has drawn and read, for the figures and the sheets to choose from."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadtests.starter.methods import Method
from loadtests.starter.people import Character
from loadtests.starter.portraits import Shot


@dataclass(frozen=True)
class Measured:
    """Everything that was drawn and read.

    Attributes:
        everybody: all characters.
        shots: the portraits of those that are done.
        readable: lists of words that the installed nets read.
    """

    everybody: tuple[Character, ...]
    shots: tuple[Shot, ...]
    readable: frozenset[str]

    def of(self, method: Method, prompt: str | None = None) -> list[Shot]:
        """Returns the portraits of one method; of one prompt, where it is given."""
        return [s for s in self.shots if s.slot.method == method and prompt in (None, s.slot.prompt.name)]

    def character(self, number: int) -> Character:
        """Returns a character by its number."""
        return next(one for one in self.everybody if one.number == number)

    def renders(self) -> NDArray[np.float64]:
        """Features of all photos of all characters, (N, D)."""
        return np.array([look.features for one in self.everybody for look in one.looks], np.float64)


def by_person(shots: Iterable[Shot]) -> dict[int, list[Shot]]:
    """Returns portraits by person."""
    found: dict[int, list[Shot]] = {}
    for shot in shots:
        found.setdefault(shot.person, []).append(shot)
    return found
