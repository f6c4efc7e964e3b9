"""The promises of deploy/triton, on a real Triton server with a tiny UNet of random weights."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.tiny_sd import CONTEXT_SIZE, make_tiny_sd

ROOT = Path(__file__).parents[2]
STUB = ROOT / ".triton/pytriton/tritonserver/backends/python/triton_python_backend_stub"
# Seconds. A start and an end together cost about 12 of CPU, which can be minutes on a busy machine.
START_LIMIT, END_LIMIT = 300, 130

pytestmark = [
    pytest.mark.triton,
    pytest.mark.timeout(START_LIMIT + END_LIMIT),
    pytest.mark.skipif(not STUB.exists(), reason="no Triton server in .triton; run `make triton-setup`"),
]


@dataclass(frozen=True)
class Row:
    """One row of a denoising step, with a batch of one in front as on the wire."""

    latent: np.ndarray
    timestep: np.ndarray
    context: np.ndarray


@dataclass(frozen=True)
class Server:
    url: str
    process: subprocess.Popen[bytes]
    shm_prefix: str

    def shm_files(self) -> list[Path]:
        return sorted(Path("/dev/shm").glob(f"{self.shm_prefix}*"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("triton") / "tiny")


@pytest.fixture(scope="module")
def unet(tiny: Path) -> Any:
    from shared.sdmodels import load_unet, open_model_folder

    return load_unet(open_model_folder(tiny))


@pytest.fixture(scope="module")
def server(tiny: Path) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    prefix = f"likeness_test_{os.getpid()}_"
    options = ["--allow-http=false", "--allow-metrics=false", f"--grpc-port={port}"]
    options.append(f"--backend-config=python,shm-region-prefix-name={prefix}")
    log = tiny.parent / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                ROOT / "deploy/triton/run.sh",
                *options,
                f"--backend-config=python,shm-region-prefix-name={prefix}",
            ],
            env=os.environ | {"LIKENESS_MODEL_FOLDER": str(tiny), "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_listening(process, port, log)
        yield Server(f"127.0.0.1:{port}", process, prefix)
    finally:
        process.terminate()
        try:
            process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Triton opens its port when all models are loaded, and ends when one cannot be."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"Triton did not start (exit code {process.poll()}):\n{log.read_text()[-4000:]}")


def _row(seed: int, token_count: int = 16) -> Row:
    random = np.random.default_rng(seed)
    return Row(
        latent=random.standard_normal((1, 4, 8, 8), dtype=np.float32),
        timestep=np.array([[37 * seed % 1000]], dtype=np.float32),
        context=random.standard_normal((1, token_count, CONTEXT_SIZE), dtype=np.float32),
    )


def _in_process(unet: Any, row: Row) -> np.ndarray:
    import torch

    latent, timestep, context = map(torch.from_numpy, (row.latent, row.timestep.reshape(-1), row.context))
    with torch.inference_mode():
        return unet(latent, timestep, encoder_hidden_states=context).sample.numpy()


async def _predict(server: Server, rows: list[Row]) -> list[np.ndarray]:
    """Sends all rows at the same time, each as a request of its own."""
    from tritonclient.grpc import aio

    async with aio.InferenceServerClient(server.url) as client:
        results = await asyncio.gather(*(client.infer("unet", _inputs(row)) for row in rows))
    return [result.as_numpy("prediction") for result in results]


def _inputs(row: Row) -> list[Any]:
    from tritonclient.grpc import InferInput

    inputs = [InferInput(name, list(value.shape), "FP32") for name, value in vars(row).items()]
    for tensor, value in zip(inputs, vars(row).values(), strict=True):
        tensor.set_data_from_numpy(value)
    return inputs


async def _counts(server: Server) -> tuple[int, int]:
    """Rows predicted so far, and batches they were predicted in."""
    from tritonclient.grpc import aio

    async with aio.InferenceServerClient(server.url) as client:
        statistics = (await client.get_inference_statistics("unet")).model_stats[0]
    return statistics.inference_count, statistics.execution_count


async def test_one_request_is_predicted_as_in_process(server: Server, unet: Any) -> None:
    [prediction] = await _predict(server, [_row(1)])

    np.testing.assert_allclose(prediction, _in_process(unet, _row(1)), rtol=0, atol=1e-4)


async def test_concurrent_requests_of_different_timesteps_get_their_own_predictions(
    server: Server, unet: Any
) -> None:
    rows = [_row(seed) for seed in range(1, 5)]

    predictions = await _predict(server, rows)

    alone = [_in_process(unet, row) for row in rows]
    np.testing.assert_allclose(predictions, alone, rtol=0, atol=1e-4)
    assert np.abs(alone[0] - alone[1]).max() > 1e-2


async def test_requests_of_different_shapes_do_not_disturb_each_other(server: Server, unet: Any) -> None:
    rows = [_row(seed, token_count=8 + 4 * (seed % 3)) for seed in range(1, 9)]

    predictions = await _predict(server, rows)

    alone = [_in_process(unet, row) for row in rows]
    np.testing.assert_allclose(predictions, alone, rtol=0, atol=1e-4)


async def test_concurrent_requests_share_batches(server: Server) -> None:
    rows_before, batches_before = await _counts(server)

    await _predict(server, [_row(seed) for seed in range(32)])

    # The statistics lag the answers by a moment.
    for _ in range(100):
        rows, batches = await _counts(server)
        if rows == rows_before + 32:
            break
        await asyncio.sleep(0.1)
    assert rows == rows_before + 32
    assert batches - batches_before <= 16


async def test_wrong_channel_count_is_refused_with_the_expected_shape(server: Server) -> None:
    from tritonclient.utils import InferenceServerException

    row = Row(np.zeros((1, 3, 8, 8), np.float32), _row(1).timestep, _row(1).context)

    with pytest.raises(InferenceServerException, match=r"Expected \[-1,4,-1,-1\], got \[1,3,8,8\]"):
        await _predict(server, [row])


def test_sigterm_ends_the_server_and_leaves_no_shared_memory(server: Server) -> None:
    """The last test of this file: it ends the server that all of them share, as a start is expensive."""
    assert server.process.poll() is None
    assert server.shm_files()

    server.process.send_signal(signal.SIGTERM)

    assert server.process.wait(END_LIMIT) == 0
    assert server.shm_files() == []
