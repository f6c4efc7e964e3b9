"""Failed calls in words: the fact, the remedy, and the reason for machines."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from rich.console import Console
from rich.markup import escape

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_CANCELLED = 130


def reason_of(error: grpc.RpcError) -> str:
    """Returns the catalogue reason that a failed call carries, or "" where it carries none."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info):
            return info.reason
    return ""


def field_violations(error: grpc.RpcError) -> list[str]:
    """Returns "field: what is wrong" for each violated rule of the request."""
    status = rpc_status.from_call(error)
    found: list[str] = []
    for detail in status.details if status else ():
        bad = error_details_pb2.BadRequest()
        if detail.Is(bad.DESCRIPTOR) and detail.Unpack(bad):
            found += [f"{violation.field}: {violation.description}" for violation in bad.field_violations]
    return found


def explain(error: grpc.RpcError, target: str) -> str:
    """Returns a failed call as rich markup: what happened and what helps."""
    if error.code() == grpc.StatusCode.UNAVAILABLE and not reason_of(error):
        return f"[red]No answer from {escape(target)}.[/] Start `likeness serve`, or leave out --server."
    reason = reason_of(error) or error.code().name
    lines = [f"[red]{escape(error.details() or 'The call failed.')}[/] [dim]({reason})[/]"]
    lines += [f"  [dim]-[/] {escape(line)}" for line in field_violations(error)]
    return "\n".join(lines)


@contextmanager
def reported_errors(console: Console, target: Callable[[], str] = lambda: "the server") -> Iterator[None]:
    """Turns failures of the block into a message and an exit status; nothing else reaches the terminal."""
    try:
        yield
    except grpc.RpcError as error:
        console.print(explain(error, target()))
        sys.exit(EXIT_REFUSED)
    except (FileNotFoundError, ValueError) as error:
        console.print(f"[red]{escape(str(error))}[/]")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(EXIT_CANCELLED)
