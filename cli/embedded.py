"""A server for the time of one command: started as a process of its own, stopped after.

A process of its own keeps the models out of the command line, and Ctrl-C drains the server properly.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 30.0
LOG_TAIL_LINES = 15


def state_folder() -> Path:
    """Returns where an embedded server keeps identities, portraits and artifacts between commands.

    LIKENESS_STATE_DIR, or "likeness" below XDG_STATE_HOME (~/.local/state).
    """
    chosen = os.environ.get("LIKENESS_STATE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "likeness"


class ServerDied(ValueError):
    """The embedded server ended before it was ready; the text carries the end of its log."""


@contextmanager
def embedded_server(console: Console, only: Sequence[str] = ()) -> Iterator[str]:
    """Starts the services on a free port and yields "HOST:PORT" once they are warm; stops them after.

    Args:
        console: Where a wait is shown.
        only: Names of the services to run; empty runs all.

    Raises:
        ServerDied: the server ended, or was not ready in time.
    """
    state = state_folder()
    state.mkdir(parents=True, exist_ok=True)
    log_path = state / "server.log"
    with tempfile.TemporaryDirectory() as folder, log_path.open("wb") as log:
        ready = Path(folder) / "port"
        command = [sys.executable, "-m", "cli.main", "serve", "--port", "0", "--ready-file", str(ready)]
        command += [word for name in only for word in ("--only", name)]
        environment = {**os.environ, "LIKENESS_STATE_DIR": str(state)}
        # Its own session: Ctrl-C in the terminal reaches the command alone, which then drains the server.
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        try:
            with console.status("Starting the services and loading the models ..."):
                port = wait_until_ready(process, ready, log_path)
            yield f"127.0.0.1:{port}"
        finally:
            stop(process)


def wait_until_ready(process: subprocess.Popen[bytes], ready: Path, log_path: Path) -> int:
    """Returns the port once the server has written it."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if ready.is_file() and (text := ready.read_text().strip()):
            return int(text)
        if process.poll() is not None:
            raise ServerDied(f"The embedded server ended with status {process.returncode}:\n{tail(log_path)}")
        time.sleep(0.05)
    raise ServerDied(f"The embedded server was not ready after {START_TIMEOUT_S:.0f} s:\n{tail(log_path)}")


def tail(log_path: Path) -> str:
    """Returns the end of the server's log."""
    return "\n".join(log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def stop(process: subprocess.Popen[bytes]) -> None:
    """Drains the server; ends it hard where that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
