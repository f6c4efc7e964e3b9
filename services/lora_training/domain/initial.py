"""The adapter of a base model that a training starts from, and whether it can."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelAdapter:
    """An adapter that a base model ships.

    Attributes:
        name: how orders call it.
        rank: rank of its matrices, None where its file does not say.
        is_of_this_base: whether its file names the weights of the model that ships it.
    """

    name: str
    rank: int | None
    is_of_this_base: bool

    def misfit(self, rank: int) -> str | None:
        """Return why a training of `rank` cannot start from it, None if it can."""
        if not self.is_of_this_base:
            return "it was trained on other weights than those of the base model"
        if self.rank != rank:
            return f"its rank is {self.rank or 'not stated'}, that of the training {rank}"
        return None
