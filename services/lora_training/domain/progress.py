"""How far a run is, in numbers that a person can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SMOOTHED_STEPS = 20


@dataclass(frozen=True)
class StepReport:
    """State of a run after a step.

    Attributes:
        step: steps done, from 1.
        step_count: steps in all.
        loss: mean loss of the last 20 steps.
        remaining_s: estimated seconds to the end at the pace of this process.
    """

    step: int
    step_count: int
    loss: float
    remaining_s: float


def smoothed(losses: Sequence[float]) -> float:
    """Return the mean of the last 20 losses (of all when there are fewer)."""
    recent = losses[-_SMOOTHED_STEPS:]
    return sum(recent) / len(recent)


def final_loss(losses: Sequence[float]) -> float:
    """Return the mean over the last tenth of the steps, at least one."""
    tail = losses[-max(len(losses) // 10, 1) :]
    return sum(tail) / len(tail)
