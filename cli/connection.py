"""Options that every client command has, and the connection they describe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from cli.client import LikenessClient
from cli.embedded import embedded_server
from cli.errors import reported_errors

console = Console(highlight=False)

ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="HOST:PORT",
        help="Orchestrator to use. Without it an embedded server is started and stopped after.",
        envvar="LIKENESS_SERVER",
    ),
]
TenantOption = Annotated[
    str, typer.Option(help="Tenant to act for; sees its own data only.", envvar="LIKENESS_TENANT")
]


@contextmanager
def connected(server: str | None, tenant: str) -> Iterator[LikenessClient]:
    """Yields a client of the named server, or of an embedded one; failures inside become messages."""
    target = server or "the embedded server"
    with reported_errors(console, lambda: target):
        if server:
            with LikenessClient(server, tenant) as client:
                yield client
        else:
            with embedded_server(console) as address, LikenessClient(address, tenant) as client:
                yield client
