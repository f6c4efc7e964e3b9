"""The whole engine over the fake model, under random mixes, arrivals and cancellations.

The event loop is deterministic: all work is done in the calling thread, and what happens is tied to the
number of the UNet call during which it happens.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.diffusion.adapters.fake import FakeModels, FakeText, FakeUNet
from services.diffusion.domain.events import Event, Generated, Queued, StepDone
from services.diffusion.domain.request import (
    AdapterChoice,
    GenerationRequest,
    IdentityChoice,
    SourceChoice,
)
from services.diffusion.domain.rows import Prompt, RowBatch
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.errors import QueueFull
from shared.cancellation import CancellationToken, Cancelled
from tests.support.inline import InlineExecutor

_MOST_ROWS = 3  # of one step: two texts and one identity


@dataclass(frozen=True)
class Plan:
    """A picture, and when it comes and goes, in UNet calls."""

    step_count: int
    technique: str
    side_px: int
    guidance: float
    adapter_count: int
    has_identity: bool
    arrives_at: int
    leaves_after: int | None
    leaves_by_token: bool


_PLANS = st.builds(
    Plan,
    step_count=st.integers(1, 6),
    technique=st.sampled_from(["text_to_image", "image_to_image", "inpaint", "late_injection"]),
    side_px=st.sampled_from([64, 96]),
    guidance=st.sampled_from([1.0, 3.0]),
    adapter_count=st.integers(0, 2),
    has_identity=st.booleans(),
    arrives_at=st.integers(0, 12),
    leaves_after=st.none() | st.integers(0, 4),
    leaves_by_token=st.booleans(),
)


def _request(plan: Plan, number: int) -> GenerationRequest:
    image = np.full((plan.side_px, plan.side_px, 3), 10 * number + 5, np.uint8)
    mask = np.zeros_like(image)
    mask[: plan.side_px // 2] = 255
    has_source = plan.technique in {"image_to_image", "inpaint"}
    person = IdentityChoice((np.cos(np.arange(128) + number).astype(np.float32),))
    return GenerationRequest(
        prompt=f"p{number}",
        negative_prompt=f"n{number}",
        seed=number,
        step_count=plan.step_count,
        technique=plan.technique,
        width_px=plan.side_px,
        height_px=plan.side_px,
        guidance_scale=plan.guidance,
        adapters=tuple(
            AdapterChoice(name=f"lora-{number}-{k}", weight=0.5) for k in range(plan.adapter_count)
        ),
        identity=person if plan.has_identity or plan.technique == "late_injection" else None,
        source=SourceChoice(image, 1.0, mask if plan.technique == "inpaint" else None)
        if has_source
        else None,
    )


@cache
def _owner_of() -> dict[bytes, int]:
    """Which picture a row belongs to, by its text."""
    texts = [(f"{kind}{number}", number) for kind in "pn" for number in range(12)]
    conditions = FakeText().encode([Prompt("prompt", text, (64, 64)) for text, _ in texts], ())
    return {c.context.tobytes(): number for c, (_, number) in zip(conditions, texts, strict=True)}


class WatchedUNet(FakeUNet):
    """Notes whose rows each call has, and lets the world go on during the call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[dict[int, int]] = []
        self.during_call: Callable[[int], None] = lambda _: None

    def predict(self, batch: RowBatch) -> np.ndarray:
        rows: dict[int, int] = defaultdict(int)
        for row in batch.rows:
            rows[_owner_of()[row.text.context.tobytes()]] += 1
        self.calls.append(dict(rows))
        self.during_call(len(self.calls) - 1)
        return super().predict(batch)


@dataclass
class World:
    """Runs plans through one engine."""

    plans: list[Plan]
    limits: BatchLimits
    unet: WatchedUNet = field(default_factory=WatchedUNet)
    events: dict[int, list[Event]] = field(default_factory=dict)
    errors: dict[int, BaseException] = field(default_factory=dict)
    joined_at: dict[int, int] = field(default_factory=dict)
    queued_at: dict[int, int] = field(default_factory=dict)
    left_at: dict[int, int] = field(default_factory=dict)
    tasks: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)
    tokens: dict[int, CancellationToken] = field(default_factory=dict)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(InlineExecutor())
        threads = Threads(*(InlineExecutor() for _ in range(3)))
        self.generation = Generation(FakeModels(self.unet), self.limits, threads)
        self.unet.during_call = self._during
        while True:
            if pending := [task for task in self.tasks.values() if not task.done()]:
                await asyncio.gather(*pending)
            elif to_come := [plan.arrives_at for n, plan in enumerate(self.plans) if n not in self.tasks]:
                self._let_in(min(to_come))  # nothing is at work: time passes until somebody comes
            else:
                break
        await self.generation.close()

    def _during(self, call: int) -> None:
        self._let_in(call)
        active, waiting = self.generation.depth("fake")
        assert active <= self.limits.max_active
        assert waiting <= self.limits.max_waiting
        for number, plan in enumerate(self.plans):
            if plan.leaves_after is None or number not in self.joined_at or number in self.left_at:
                continue
            if call >= self.joined_at[number] + plan.leaves_after:
                self.left_at[number] = call
                if plan.leaves_by_token:
                    self.tokens[number].cancel()
                else:
                    self.tasks[number].cancel()

    def _let_in(self, call: int) -> None:
        for number, plan in enumerate(self.plans):
            if plan.arrives_at <= call and number not in self.tasks:
                self.joined_at[number] = len(self.unet.calls)
                self.tokens[number] = CancellationToken()
                self.tasks[number] = asyncio.get_running_loop().create_task(self._one(number))

    async def _one(self, number: int) -> None:
        heard = self.events.setdefault(number, [])
        request = _request(self.plans[number], number)
        try:
            async for event in self.generation.generate(request, tenant="t", token=self.tokens[number]):
                heard.append(event)
                if isinstance(event, Queued):
                    self.queued_at.setdefault(number, len(self.unet.calls))
        except (Exception, asyncio.CancelledError) as error:
            self.errors[number] = error


def _world(plans: list[Plan], limits: BatchLimits) -> World:
    world = World(plans, limits)
    asyncio.run(world.run())
    return world


@cache
def _alone(plan: Plan, number: int) -> tuple[bytes, int]:
    """The bytes of a picture that has the engine to itself, and the rows that it takes."""
    others = [Plan(1, "text_to_image", 64, 1.0, 0, False, 0, None, False)] * number
    at_leisure = Plan(**{**vars(plan), "arrives_at": 10**6, "leaves_after": None})
    world = _world([*others, at_leisure], BatchLimits(max_rows=16, max_active=1, max_waiting=99))
    last = world.events[number][-1]
    assert isinstance(last, Generated)
    return last.picture.image.tobytes(), sum(rows.get(number, 0) for rows in world.unet.calls)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    plans=st.lists(_PLANS, min_size=1, max_size=8),
    max_rows=st.integers(1, 8),
    max_active=st.integers(1, 5),
    max_waiting=st.integers(0, 8),
)
def test_random_company(plans: list[Plan], max_rows: int, max_active: int, max_waiting: int) -> None:
    world = _world(plans, BatchLimits(max_rows, max_active, max_waiting, max_images=2))

    assert all(0 < sum(rows.values()) <= max_rows for rows in world.unet.calls)
    for number, plan in enumerate(plans):
        error, heard = world.errors.get(number), world.events[number]
        if isinstance(error, QueueFull):
            assert len(plans) > max_active + max_waiting
            assert not any(number in rows for rows in world.unet.calls), "refused work is not begun"
        elif error is not None:
            assert isinstance(error, Cancelled | asyncio.CancelledError), repr(error)
            _check_freed(world, number, plan)
        else:
            _check_finished(world, number, plan, heard)
        _check_not_starved(world, number, max_active * math.ceil(_MOST_ROWS / max_rows))


def _check_finished(world: World, number: int, plan: Plan, heard: list[Event]) -> None:
    assert [event for event in heard if isinstance(event, Generated)] == heard[-1:], "one picture, at the end"
    steps = [event.step for event in heard if isinstance(event, StepDone)]
    assert steps == list(range(1, len(steps) + 1)), "no step lost or doubled"
    image, row_count = _alone(plan, number)
    assert heard[-1].picture.image.tobytes() == image, "the same in any company"
    assert sum(rows.get(number, 0) for rows in world.unet.calls) == row_count, "no row lost or doubled"


def _check_freed(world: World, number: int, plan: Plan) -> None:
    """A cancelled token frees the rows before the next call, a caller that goes within one call."""
    last = world.left_at[number] + (0 if plan.leaves_by_token else 1)
    assert not any(number in rows for rows in world.unet.calls[last + 1 :])


def _check_not_starved(world: World, number: int, bound: int) -> None:
    """Bound: the UNet calls that one step of every active picture takes."""
    turns = [call for call, rows in enumerate(world.unet.calls) if number in rows]
    assert all(later - earlier <= bound for earlier, later in pairwise(turns))


@pytest.mark.parametrize("max_rows", [2, 3, 4, 8, 16, 32])
def test_a_newcomer_takes_its_first_step_within_two_step_times_of_eight_others(max_rows: int) -> None:
    old = [Plan(6, "text_to_image", 64, 3.0, 1, False, 0, None, False)] * 8
    # Counted from its entry: in a world where calls take no time, preparing a picture takes many of them.
    newcomer = Plan(2, "text_to_image", 64, 3.0, 1, False, 5, None, False)

    world = _world([*old, newcomer], BatchLimits(max_rows, max_active=9, max_waiting=0))

    step_time = math.ceil(8 * 2 / max_rows)
    rows_so_far = np.cumsum([rows.get(8, 0) for rows in world.unet.calls[world.queued_at[8] :]])
    calls_to_first_step = int(np.argmax(rows_so_far >= 2)) + 1
    assert calls_to_first_step <= 2 * step_time


def test_a_size_that_comes_once_is_not_starved_by_one_that_keeps_coming() -> None:
    stream = [Plan(4, "text_to_image", 64, 3.0, 0, False, n, None, False) for n in range(10)]
    rare = Plan(6, "text_to_image", 96, 3.0, 0, False, 1, None, False)

    world = _world([*stream, rare], BatchLimits(max_rows=8, max_active=11, max_waiting=0))

    turns = [call for call, rows in enumerate(world.unet.calls) if 10 in rows]
    assert len(turns) == 6
    step_time = math.ceil(10 * 2 / 8) + 1  # calls that one step of all takes
    assert max(later - earlier for earlier, later in pairwise(turns)) <= step_time
