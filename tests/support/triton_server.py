"""A real Triton server on a free port of this machine, serving a repository of ours."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUB = ROOT / ".triton/pytriton/tritonserver/backends/python/triton_python_backend_stub"
# Seconds. A start costs about 5 of CPU, which can be a minute on a busy machine.
START_LIMIT, END_LIMIT = 240, 130

needs_triton = [
    pytest.mark.triton,
    pytest.mark.timeout(START_LIMIT + END_LIMIT),
    pytest.mark.skipif(not STUB.exists(), reason="no Triton server in .triton; run `make triton-setup`"),
]


class TritonServer:
    """Starts at once; can be ended and started again on the same port."""

    def __init__(self, repository: Path, log: Path) -> None:
        self._repository, self._log = repository, log
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = self._launch()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it again after `stop`."""
        self.process = self._launch()

    def wait_until_listening(self) -> None:
        """Triton opens its port when all models are loaded, and ends when one cannot be."""
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        pytest.fail(
            f"Triton did not start (exit code {self.process.poll()}):\n{self._log.read_text()[-4000:]}"
        )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; the exit code."""
        self.process.send_signal(how)
        return self.process.wait(END_LIMIT)

    def model_process(self, name: str) -> int:
        """Id of the process in which Triton runs the Python model *name*."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = {int(pid) for task in tasks for pid in (task / "children").read_text().split()}
        [found] = [pid for pid in children if f"/{name}/1/model.py" in _command(pid)]
        return found

    def shm_files(self) -> list[Path]:
        """What it holds in /dev/shm."""
        return sorted(Path("/dev/shm").glob(f"likeness_triton_{self.process.pid}_*"))

    def _launch(self) -> subprocess.Popen[bytes]:
        options = ["--allow-http=false", "--allow-metrics=false", f"--grpc-port={self.port}"]
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [ROOT / "deploy/triton/run.sh", self._repository, *options],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )


@contextmanager
def triton_server(repository: Path, log: Path) -> Iterator[TritonServer]:
    """A server that listens; ended afterwards, also where a test ended it already."""
    server = TritonServer(repository, log)
    try:
        server.wait_until_listening()
        yield server
    finally:
        if server.process.poll() is None:
            try:
                server.stop()
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()
        for file in server.shm_files():
            file.unlink()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""
