"""Every service process sets the thread and spinning defaults: read back from the running processes.

Defaults of the libraries cost up to 35 times on a busy host: threads that wait for work spin.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.tiny_sd import make_tiny_sd

ROOT = Path(__file__).parents[3]
SERVICES = ["face_analysis", "lora_training", "diffusion", "fusion", "stylization", "orchestrator"]
_START_S = 100.0
# The first test waits for the processes, which share the machine while they start.
pytestmark = pytest.mark.timeout(300)
_PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


@dataclass(frozen=True)
class Process:
    process: "subprocess.Popen[bytes]"
    log: Path
    report: Path


def _start(command: list[str], folder: Path, variables: Mapping[str, str]) -> Process:
    folder.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "LIKENESS_"))}
    environment |= {
        "PYTHONPATH": str(ROOT / "tests" / "support" / "thread_report"),
        "THREAD_REPORT": str(folder / "report.json"),
        # GNU's OpenMP prints what it understood when it is loaded.
        "OMP_DISPLAY_ENV": "VERBOSE",
        **variables,
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    return Process(process, log, folder / "report.json")


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Process]]:
    """All services at once, each in a process of its own, and all of them in one."""
    folder = tmp_path_factory.mktemp("threads")
    models = json.dumps({"tiny": str(make_tiny_sd(folder / "tiny"))})
    own = {
        "diffusion": {"LIKENESS_DIFFUSION_MODELS": models, "LIKENESS_DIFFUSION_BACKEND": "torch"},
        "lora_training": {"LIKENESS_LORA_TRAINING_STATE_FOLDER": str(folder / "jobs")},
        "orchestrator": {
            "LIKENESS_ORCHESTRATOR_DATABASE_URL": f"sqlite:///{folder / 'records.sqlite'}",
            "LIKENESS_ORCHESTRATOR_WORKFLOW_DATABASE_URL": f"sqlite:///{folder / 'workflows.sqlite'}",
        },
    }
    started = {}
    for name in SERVICES:
        prefix = f"LIKENESS_{name.upper()}"
        placed = {f"{prefix}_ARTIFACTS_URL": str(folder / "artifacts"), f"{prefix}_LOG_FORMAT": "json"}
        command = [sys.executable, "-m", f"services.{name}"]
        started[name] = _start(command, folder / name, placed | own.get(name, {}))
    yield started
    for each in started.values():
        each.process.kill()
        each.process.wait()


def _report(process: Process) -> dict[str, Any]:
    """What the process says of itself once it is warm."""
    until = time.monotonic() + _START_S
    while "service.warm" not in process.log.read_text(errors="replace"):
        text = process.log.read_text(errors="replace")
        assert process.process.poll() is None, f"it did not start:\n{text[-3000:]}"
        assert time.monotonic() < until, f"it did not become warm:\n{text[-3000:]}"
        time.sleep(0.05)
    process.process.send_signal(signal.SIGUSR1)
    while not process.report.exists():
        assert time.monotonic() < until, "no report"
        time.sleep(0.05)
    report: dict[str, Any] = json.loads(process.report.read_text())
    return report


@pytest.mark.parametrize("service", SERVICES)
def test_threads_of_the_running_process_sleep_when_idle(processes: dict[str, Process], service: str) -> None:
    report = _report(processes[service])

    environment = report["environment"]
    assert {name: environment[name] for name in _PASSIVE} == _PASSIVE
    thread_count = int(environment["OMP_NUM_THREADS"])
    assert 1 <= thread_count <= 8
    if report["torch_threads"] is not None:
        assert report["torch_threads"] == thread_count
    for session in report["sessions"]:
        assert session["allow_spinning"] == ["0", "0"]
        assert 1 <= session["intra_op_num_threads"] <= thread_count


def test_the_processes_that_compute_are_among_them(processes: dict[str, Process]) -> None:
    """Or the test above would pass with processes that load nothing."""
    reports = {service: _report(process) for service, process in processes.items()}

    assert reports["diffusion"]["torch_threads"] is not None
    assert {name for name, report in reports.items() if report["sessions"]} >= {
        "face_analysis",
        "stylization",
    }
    light = {name for name, report in reports.items() if report["torch_threads"] is None}
    assert light >= {"face_analysis", "fusion", "stylization", "orchestrator", "lora_training"}


def test_openmp_itself_understood_them(processes: dict[str, Process]) -> None:
    """Its own word, printed when torch loaded it: the variables were set early enough."""
    _report(processes["diffusion"])
    text = processes["diffusion"].log.read_text(errors="replace")

    assert re.search(r"OMP_WAIT_POLICY = 'PASSIVE'", text)
    assert re.search(r"GOMP_SPINCOUNT = '0'", text)
    assert not re.search(r"OMP_WAIT_POLICY = 'ACTIVE'", text)
