"""Adapters that are loaded while the first steps run without them (Katz: Li et al., arXiv 2407.02031).

Early steps settle the layout, which adapters change least; a load from a remote store hides behind them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.diffusion.domain.adapters import AdapterMix, AdapterUse, without_person
from services.diffusion.domain.rows import TextCondition, UNetRow
from shared.cancellation import Cancelled

# Later than that the picture would be too much its base model's; it waits for its adapters instead.
_LATEST_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Upgrade:
    """All adapters of the request, and the texts as they read them, by the texts that they replace."""

    mix: AdapterMix
    texts: Mapping[TextCondition, TextCondition] = field(default_factory=dict)


class StartMix(tuple[AdapterUse, ...]):
    """What a picture starts with, told from a mix that a program chose, even where it is empty."""


@dataclass(eq=False)
class LateAdapters:
    """Exchanges adapters in a program's rows that carry a StartMix; the program does not know.

    Attributes:
        arrival: Ends with all adapters loaded, or fails as their loading does.
        free_steps: Steps that may run before.
    """

    arrival: "asyncio.Task[Upgrade]"
    free_steps: int
    has_arrived: bool = False

    def must_wait(self, done_count: int) -> bool:
        """Whether the step after *done_count* steps needs them and they are not there."""
        return done_count >= self.free_steps and not self.arrival.done()

    def dress(self, rows: Sequence[UNetRow]) -> Sequence[UNetRow]:
        """*rows* with all adapters that are there by now. Raises: what loading raised."""
        if not self.arrival.done():
            return rows
        if self.arrival.cancelled():
            raise Cancelled()
        upgrade = self.arrival.result()
        self.has_arrived = True
        return [self._dressed(row, upgrade) if isinstance(row.adapters, StartMix) else row for row in rows]

    def _dressed(self, row: UNetRow, upgrade: Upgrade) -> UNetRow:
        mix = upgrade.mix if row.shows_person else without_person(upgrade.mix)
        return replace(row, adapters=mix, text=upgrade.texts.get(row.text, row.text))


def free_step_count(step_count: int) -> int:
    """How many of *step_count* steps may run without adapters."""
    return int(step_count * _LATEST_SHARE)
