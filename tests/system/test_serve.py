"""`likeness serve` as a user starts it: a process that becomes warm, answers, and drains."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parents[2]


async def test_some_services_are_served_and_a_signal_drains_them(tmp_path: Path):
    ready = tmp_path / "port"
    environment = {
        **os.environ,
        "LIKENESS_FUSION_BACKEND": "fake",
        "LIKENESS_STYLIZATION_BACKEND": "fake",
        "LIKENESS_STATE_DIR": str(tmp_path / "state"),
    }
    only = [word for name in ("fusion", "stylization", "orchestrator") for word in ("--only", name)]
    command = [sys.executable, "-m", "cli.main", "serve", "--port", "0", "--ready-file", str(ready), *only]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 90
        while not ready.exists():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{ready.read_text()}") as channel:
            for name in ("", "likeness.orchestrator.v1.OrchestratorService"):
                request = health_pb2.HealthCheckRequest(service=name)
                answer = await health_pb2_grpc.HealthStub(channel).Check(request)
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert (tmp_path / "state" / "orchestrator" / "workflows.sqlite").exists()


def test_a_missing_model_ends_the_start_with_file_licence_and_command(tmp_path: Path):
    environment = {
        **os.environ,
        "LIKENESS_STYLIZATION_EFFECTS_FOLDER": str(tmp_path),
        "LIKENESS_STATE_DIR": str(tmp_path / "state"),
    }
    command = [sys.executable, "-m", "cli.main", "serve", "--port", "0", "--only", "stylization"]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)

    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert str(tmp_path / "toon.onnx") in said.replace(" ", "")
    assert "Apache-2.0" in said
    assert "starter.train_stylizer" in said
