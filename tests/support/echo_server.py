"""A process that serves the echo service: `python -m tests.support.echo_server MODE`, for signal tests.

Modes: ok; cold (the warm-up never ends); broken (the warm-up fails). Log lines on standard error are JSON;
"echo.begun" tells that a call has arrived.
"""

import asyncio
import json
import sys
from typing import Any

from shared.server import LikenessServer, Service, run_server
from shared.settings import ServerSettings
from tests.support import echo


async def _echo(request: Any, context: Any) -> Any:
    print(json.dumps({"event": "echo.begun"}), file=sys.stderr, flush=True)
    await asyncio.sleep(request.number / 1000)
    return echo.response(request.text)


async def _warm_up() -> None:
    match sys.argv[1]:
        case "cold":
            await asyncio.sleep(60)
        case "broken":
            raise FileNotFoundError("no weights here")


if __name__ == "__main__":
    service = Service(echo.SERVICE, echo.add_to(Echo=_echo), warm_up=_warm_up)
    settings = ServerSettings(log_format="json", drain_grace_s=20.0)
    sys.exit(run_server(LikenessServer([service], settings)))
