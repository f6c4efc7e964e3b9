"""The token that long work polls."""

import gc
import threading
import weakref

import pytest

from shared.cancellation import CancellationToken, Cancelled
from shared.errors import ErrorReason


def test_a_new_token_lets_work_go_on():
    token = CancellationToken()
    token.raise_if_cancelled()

    assert not token.cancelled


def test_a_cancelled_token_stops_work_for_good():
    token = CancellationToken()
    token.cancel()
    token.cancel()

    with pytest.raises(Cancelled) as caught:
        token.raise_if_cancelled()
    assert caught.value.reason is ErrorReason.CANCELLED


def test_children_follow_their_parent_but_not_the_reverse():
    parent = CancellationToken()
    first, second = parent.child(), parent.child()
    first.cancel()
    assert (parent.cancelled, second.cancelled) == (False, False)

    parent.cancel()
    assert second.cancelled
    assert parent.child().cancelled


def test_a_parent_does_not_keep_finished_children_alive():
    parent = CancellationToken()
    child = weakref.ref(parent.child())
    gc.collect()

    assert child() is None


def test_callbacks_run_once_unless_removed_and_at_once_if_late():
    token, calls = CancellationToken(), []
    token.on_cancel(lambda: calls.append("kept"))
    remove = token.on_cancel(lambda: calls.append("removed"))
    remove()
    remove()
    token.cancel()
    token.cancel()
    token.on_cancel(lambda: calls.append("late"))

    assert calls == ["kept", "late"]


def test_a_thread_that_waits_wakes_up():
    token, woke = CancellationToken(), []
    thread = threading.Thread(target=lambda: woke.append(token.wait(60)))
    thread.start()
    token.cancel()
    thread.join(30)

    assert woke == [True]
    assert not CancellationToken().wait(0.01)
