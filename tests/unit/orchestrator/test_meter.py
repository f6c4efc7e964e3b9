"""Estimates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.portrait import Stage
from services.orchestrator.engine.meter import Meter

EXPECTED = {Stage.ANALYSE: 1.0, Stage.TRAIN: 60.0, Stage.GENERATE: 30.0, Stage.STORE: 9.0}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_is_weighted_by_the_time_that_stages_take():
    meter = Meter(EXPECTED, Clock())
    meter.enter(Stage.TRAIN)

    assert meter.advance(0.5).progress == pytest.approx(0.31)


def test_a_stage_that_is_dropped_counts_no_longer():
    meter = Meter(EXPECTED, Clock())
    meter.drop(Stage.TRAIN)
    meter.enter(Stage.GENERATE)

    estimate = meter.advance(0.5)

    assert estimate.progress == pytest.approx(16 / 40)


def test_the_time_left_follows_the_pace_of_the_stage():
    clock = Clock()
    meter = Meter(EXPECTED, clock)
    meter.enter(Stage.GENERATE)
    clock.now = 30.0

    assert meter.advance(0.25).remaining_s == pytest.approx(90 + 9)


def test_nothing_is_told_before_the_work_begins():
    assert Meter(EXPECTED, Clock()).estimate().remaining_s is None


@given(st.lists(st.tuples(st.sampled_from(list(EXPECTED)), st.floats(0, 1)), max_size=30))
def test_progress_never_goes_back(moves):
    clock = Clock()
    meter = Meter(EXPECTED, clock)
    told = []
    for stage, fraction in moves:
        told.append(meter.enter(stage).progress)
        clock.now += 1
        told.append(meter.advance(fraction).progress)

    assert told == sorted(told)
    assert all(0 <= progress <= 1 for progress in told)
