"""How calls end."""

from typing import Any

import grpc
import pytest

from shared.errors import LikenessError
from shared.errors.rpc import from_rpc_error


async def outcome(call: Any) -> grpc.aio.AioRpcError:
    """The error that ends a call, by whichever shape."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    return caught.value


async def failure(call: Any) -> LikenessError:
    """The same as the typed error that our clients see."""
    return from_rpc_error(await outcome(call))
