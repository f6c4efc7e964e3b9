"""Calls that are refused, with the typed error that says why."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest

from shared.errors.rpc import ReceivedError, from_rpc_error


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, ReceivedError]:
    """The status and the typed error that a call ends with; it fails the test to succeed."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), from_rpc_error(caught.value)


async def fails(call: Awaitable[Any], reason: str, status: grpc.StatusCode) -> ReceivedError:
    """The typed error of a call that is to end with this reason and status."""
    code, error = await refused(call)
    assert (error.reason, code) == (reason, status), error.message
    return error
