"""The current request."""

import asyncio
from types import SimpleNamespace

import pytest

from shared.cancellation import CancellationToken
from shared.context import DEFAULT_TENANT, current_request, request_scope


def test_outside_a_request_there_is_none():
    with pytest.raises(LookupError):
        current_request()


def test_scopes_nest_and_end():
    with request_scope("outer") as outer:
        with request_scope("inner", request_id="r1") as inner:
            assert current_request() is inner
            assert (inner.tenant, inner.request_id) == ("inner", "r1")
        assert current_request() is outer
        assert outer.request_id
    with pytest.raises(LookupError):
        current_request()


def test_deadline_counts_down_to_zero_and_stays_there(monkeypatch):
    now_s = 1000.0
    monkeypatch.setattr("shared.context.time", SimpleNamespace(monotonic=lambda: now_s))
    with request_scope(deadline_s=30.0) as request:
        assert request.deadline_s == 30.0
        now_s += 20.0
        assert request.deadline_s == 10.0
        now_s += 20.0
        assert request.deadline_s == 0.0
    with request_scope() as request:
        assert request.deadline_s is None
        assert request.tenant == DEFAULT_TENANT


async def test_the_request_follows_to_thread_and_tasks():
    token = CancellationToken()
    with request_scope("acme", token=token):
        in_thread = await asyncio.to_thread(current_request)
        in_task = await asyncio.create_task(_current())

    assert in_thread.tenant == in_task.tenant == "acme"
    assert in_thread.token is token


async def _current():
    return current_request()
