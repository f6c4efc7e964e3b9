"""Prompt adherence: do the nets read off a picture what its prompt asked for?"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.starter.looks import Look
from loadtests.starter.prompts import WORN

NONE, WORN_PREFIX = "none", "worn: "
Shares = dict[str, dict[int, list[float]]]
"""List -> person -> 1 where a picture shows what was asked for, else 0."""


@dataclass(frozen=True)
class Asked:
    """A picture of a person with what was asked of it."""

    person: int
    expected: Mapping[str, str]
    look: Look


def adherence(pictures: Iterable[Asked], readable: Collection[str]) -> Shares:
    """Returns for each list, each person, and each picture whose prompt names the list, whether it is met.

    The word must be the very one. A picture without a face shows no hair colour: the attribute net reads
    faces only, and it counts as not met. "worn: glasses" asks only whether there are any.

    Args:
        pictures: with what their prompts ask for.
        readable: lists that the installed nets can read; the others are left out.
    """
    shares: Shares = {}
    for one in pictures:
        for name, word in one.expected.items():
            if name not in readable:
                continue
            read = one.look.words.get(name)
            shares.setdefault(name, {}).setdefault(one.person, []).append(float(read == word))
            if name in WORN:
                met = read is not None and (read == NONE) == (word == NONE)
                shares.setdefault(f"{WORN_PREFIX}{name}", {}).setdefault(one.person, []).append(float(met))
    return shares


def together(shares: Shares) -> dict[int, list[float]]:
    """Returns all lists' answers by person; "worn" ones, which ask the same again, are left out."""
    found: dict[int, list[float]] = {}
    for name, people in shares.items():
        if not name.startswith(WORN_PREFIX):
            for person, values in people.items():
                found.setdefault(person, []).extend(values)
    return found


def differences(
    one: Mapping[int, Sequence[float]], other: Mapping[int, Sequence[float]]
) -> dict[int, list[float]]:
    """Returns by person how much more of *one* is met than of *other*, in points of 100.

    The same person answers to the same prompts with the same seeds in both, so that people's own difficulty
    drops out of the interval. People who are in one of them only are left out.
    """
    return {
        person: [100 * (mean(values) - mean(other[person]))]
        for person, values in one.items()
        if values and other.get(person)
    }


def mean(values: Sequence[float]) -> float:
    """Returns the mean."""
    return sum(values) / len(values)
