"""Three other ways to schedule the same requests on the same stand-in, as servers in use do it.

Each is generous to its kind: changing an adapter costs nothing and the scheduler takes no time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loadtests.statistics import Served
from loadtests.traffic import LoadRequest

CallCost = Callable[[int], float]


@dataclass
class Outcome:
    """What a scheduler did: one entry per request, in their order, and the size of every call."""

    served: dict[int, Served] = field(default_factory=dict)
    batch_sizes: list[int] = field(default_factory=list)


def one_at_a_time(requests: Sequence[LoadRequest], cost: CallCost) -> Outcome:
    """First come, first served, one picture per call."""
    return static_batching(requests, cost, max_batch=1)


def static_batching(requests: Sequence[LoadRequest], cost: CallCost, max_batch: int) -> Outcome:
    """Batches whole requests: those that wait and have as many steps as the oldest start and end together.

    Adapters may differ within a batch, which only a server with LoRA as data can do; so this shows what
    joining between steps is worth by itself.
    """
    outcome, waiting, now_s = Outcome(), deque(sorted(requests, key=_arrival)), 0.0
    while waiting:
        now_s = max(now_s, waiting[0].arrival_s)
        batch = _first_like_the_oldest(waiting, now_s, max_batch, lambda request: request.step_count)
        for request in batch:
            waiting.remove(request)
        call_s, step_count = cost(len(batch)), batch[0].step_count
        outcome.batch_sizes += [len(batch)] * step_count
        for request in batch:
            outcome.served[request.index] = Served(
                request.arrival_s, now_s + call_s, now_s + call_s * step_count
            )
        now_s += call_s * step_count
    return outcome


def per_adapter_batching(requests: Sequence[LoadRequest], cost: CallCost, max_batch: int) -> Outcome:
    """Joins between steps, but a batch has one identity: adapters take turns, the oldest request's first.

    A turn lasts until the requests that waited at its start are done; others with the same adapter join
    meanwhile wherever there is room, and stay until their own end.
    """
    outcome, waiting, now_s = Outcome(), deque(sorted(requests, key=_arrival)), 0.0
    while waiting:
        now_s = max(now_s, waiting[0].arrival_s)
        now_s = _turn(waiting, now_s, cost, max_batch, outcome)
    return outcome


def _turn(
    waiting: deque[LoadRequest], now_s: float, cost: CallCost, max_batch: int, outcome: Outcome
) -> float:
    """Serves one adapter; returns the time at its end."""
    identity, began_s = waiting[0].identity, now_s
    steps_left: dict[LoadRequest, int] = {}
    first_step_s: dict[int, float] = {}
    while True:
        has_owed = any(request.arrival_s <= began_s for request in steps_left) or _is_owed(
            waiting, identity, began_s
        )
        if has_owed:
            for request in _of_identity(waiting, identity, now_s, max_batch - len(steps_left)):
                waiting.remove(request)
                steps_left[request] = request.step_count
        if not steps_left:
            return now_s
        now_s += cost(len(steps_left))
        outcome.batch_sizes.append(len(steps_left))
        for request in list(steps_left):
            first_step_s.setdefault(request.index, now_s)
            steps_left[request] -= 1
            if not steps_left[request]:
                del steps_left[request]
                outcome.served[request.index] = Served(request.arrival_s, first_step_s[request.index], now_s)


def _arrival(request: LoadRequest) -> tuple[float, int]:
    return request.arrival_s, request.index


def _is_owed(waiting: deque[LoadRequest], identity: int, began_s: float) -> bool:
    """Tells whether a request of the adapter that waited at the turn's start still waits."""
    return any(request.identity == identity for request in _arrived(waiting, began_s))


def _of_identity(waiting: deque[LoadRequest], identity: int, now_s: float, room: int) -> list[LoadRequest]:
    return [request for request in _arrived(waiting, now_s) if request.identity == identity][:room]


def _first_like_the_oldest(
    waiting: deque[LoadRequest], now_s: float, max_batch: int, trait: Callable[[LoadRequest], object]
) -> list[LoadRequest]:
    wanted = trait(waiting[0])
    return [request for request in _arrived(waiting, now_s) if trait(request) == wanted][:max_batch]


def _arrived(waiting: deque[LoadRequest], now_s: float) -> list[LoadRequest]:
    arrived = []
    for request in waiting:
        if request.arrival_s > now_s:
            break
        arrived.append(request)
    return arrived
