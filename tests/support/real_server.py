"""`likeness serve` as a process of its own, over the starter pack."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "starter" / "samples"
_START_S = 240.0


class RealServer:
    """All services in one process; state below a folder, which the next process goes on with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def target(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until all models are warm."""
        ready, log = self._folder / "port", self._folder / "server.log"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "cli.main", "serve", "--port", "0", "--ready-file", str(ready)]
        environment = {**os.environ, "LIKENESS_STATE_DIR": str(self._folder / "state")}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + _START_S
        while not ready.exists():
            assert self._process.poll() is None, f"the server did not start:\n{log.read_text()[-3000:]}"
            assert time.monotonic() < until, "the server did not become warm"
            time.sleep(0.1)
        self.port = int(ready.read_text())

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Drain."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
