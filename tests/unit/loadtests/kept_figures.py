"""What portraits keep, as the tests of the adapters' experiments make it up."""

from loadtests.adapters.drawn import Kept


def kept_by_all(likeness: float, adherence: float) -> Kept:
    """Eight people, each a little more alike than the one before, who follow prompts equally."""
    people = range(8)
    return Kept(
        {p: [1.0] for p in people},
        {p: [likeness + 0.01 * p] for p in people},
        {p: [adherence] for p in people},
    )
