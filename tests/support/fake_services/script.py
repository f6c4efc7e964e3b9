"""What the fakes were asked, and what they are to answer instead of the usual.

`Script` records every call. Behaviour is changed by queueing: ``fakes.script.queue("Generate", error)``
answers the next call of that RPC with an error, or with what a function of the request returns;
`Script.check` fails if something that was queued was not used.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import LikenessError

Handler = Callable[[Any], Any]


@dataclass
class Script:
    """Calls that were made, and answers that are to be given instead of the usual ones."""

    calls: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    # Where a test kills the process, only a file tells what it had been asked for.
    calls_file: Path | None = None
    _queued: dict[str, deque[LikenessError | Handler]] = field(default_factory=lambda: defaultdict(deque))

    def queue(self, rpc: str, *answers: LikenessError | Handler) -> None:
        """Answer the next calls of this RPC with an error, or with what a function of the request returns."""
        self._queued[rpc] += answers

    def take(self, rpc: str, request: Any) -> Any:
        """Record a call; return the queued answer, or None for the usual behaviour."""
        self.calls[rpc].append(request)
        if self.calls_file is not None:
            with self.calls_file.open("a") as file:
                file.write(f"{rpc}\n")
        if not self._queued[rpc]:
            return None
        answer = self._queued[rpc].popleft()
        if isinstance(answer, LikenessError):
            raise answer
        return answer(request)

    def check(self) -> None:
        """Fail if a queued answer was not used."""
        left = {rpc: len(answers) for rpc, answers in self._queued.items() if answers}
        assert left == {}, f"queued and not used: {left}"
