"""`likeness serve`: all services in one process on one port, or one of them."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import console
from cli.errors import reported_errors


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 50051,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 in a container.")] = "127.0.0.1",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="NAME", help="Serve this one alone, such as diffusion; may be repeated."
        ),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Port for Prometheus; without it there is none.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the port here once all models are warm.")
    ] = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then drain: running calls end, watches close, jobs stay resumable.

    Health answers NOT_SERVING until the models are warm. A second Ctrl-C ends at once.
    """
    # Late: the launcher brings the services along, which a client command has no use for.
    from services import launcher

    with reported_errors(console):
        launcher.run(host=host, port=port, only=only or [], metrics_port=metrics_port, ready_file=ready_file)
