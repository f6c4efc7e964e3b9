"""`likeness health`: asks a server for its health, as a balancer or a container engine does."""

import sys
from typing import Annotated

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.connection import console
from cli.errors import EXIT_REFUSED, reported_errors


def health(
    server: Annotated[str, typer.Argument(metavar="HOST:PORT")] = "127.0.0.1:50051",
    service: Annotated[str, typer.Option(help='Such as "likeness.diffusion.v1.DiffusionService".')] = "",
    timeout_s: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the answer.")] = 5.0,
) -> None:
    """Print the health of a server; exits with status 1 unless it is SERVING."""
    with reported_errors(console, lambda: server), grpc.insecure_channel(server) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_s)
    console.print(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        sys.exit(EXIT_REFUSED)
