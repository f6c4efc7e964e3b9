"""TritonUNet against a real Triton server on this machine, with a tiny UNet of random weights.

The port's own promises are in tests/contract/unet; here is what only a server can do wrong.
"""

import dataclasses
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import generate_latest

from services.diffusion.domain.adapters import Adapter, AdapterUse, LoraLayer
from services.diffusion.domain.rows import IdentityCondition, RowBatch, TextCondition, UNetRow
from shared.errors import ErrorReason, LikenessError
from shared.telemetry.metrics import REGISTRY
from tests.support.tiny_sd import CONTEXT_SIZE, TinySd, make_tiny_sd
from tests.support.triton_server import TritonServer, needs_triton, triton_server

pytest.importorskip("tritonclient", reason="no tritonclient; run `make triton-setup`")

from services.diffusion.adapters.graph.cache import cached_graph
from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.onnx_unet import OnnxUNet
from services.diffusion.adapters.triton.config_text import RepositoryOptions, plan_config
from services.diffusion.adapters.triton.repository import write_repository
from services.diffusion.adapters.triton_unet import TritonOptions, TritonUNet
from shared.sdmodels import ModelFolder, open_model_folder

pytestmark = needs_triton
# Adapters of rank 4 that fit at a time.
SLOTS, RANK = 6, 4
MAX_ROWS = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return open_model_folder(make_tiny_sd(tmp_path_factory.mktemp("triton") / "tiny"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def onnx(folder: ModelFolder, cache: Path) -> OnnxUNet:
    return OnnxUNet(cached_graph(folder, cache), threads=1)


@pytest.fixture(scope="module")
def server(
    folder: ModelFolder, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    place = tmp_path_factory.mktemp("repository")
    options = RepositoryOptions(side_cells=8, context_tokens=16, rank_rows=SLOTS * RANK, max_rows=MAX_ROWS)
    graph = cached_graph(folder, cache)
    write_repository(graph, place / "models", options)
    _write_planned(graph, place / "models", dataclasses.replace(options, name="planned"))
    with triton_server(place / "models", place / "server.log") as running:
        yield running


def _write_planned(graph: UNetGraph, models: Path, options: RepositoryOptions) -> None:
    """As for TensorRT, but with a Python model where the plan would be: same name, same tensors."""
    write_repository(graph, models, options, plan_model="planned_plan")
    version = models / "planned_plan" / "1"
    version.mkdir(parents=True)
    config = plan_config(graph, options, "planned_plan").replace(
        'platform: "tensorrt_plan"', 'backend: "python"'
    )
    (models / "planned_plan" / "config.pbtxt").write_text(config)
    for file in graph.folder.glob("*.onnx*"):
        shutil.copy(file, version)
    shutil.copy(Path(__file__).parents[1] / "support" / "triton_plan.py", version / "model.py")


@pytest.fixture
def unet(server: TritonServer, folder: ModelFolder) -> Iterator[TritonUNet]:
    client = TritonUNet(folder, TritonOptions(server.target))
    yield client
    client.close()


def adapter(unet: TritonUNet | OnnxUNet, seed: int, rank: int = RANK) -> Adapter:
    """Random updates of all attention projections; as strong as the base weights."""
    random = np.random.default_rng(seed)

    def layer(shape: tuple[int, ...]) -> LoraLayer:
        down, up = ((rank, shape[1]), (shape[0], rank))
        return LoraLayer(*(random.standard_normal(s, dtype=np.float32) * np.float32(0.3) for s in (down, up)))

    layers = {path: layer(shape) for path, shape in unet.layer_shapes.items() if ".to_" in path}
    return Adapter(f"adapters/{seed}", f"{seed:064x}", 0, layers)


def row(seed: int, *adapters: Adapter) -> UNetRow:
    random = np.random.default_rng(seed)
    latent = random.standard_normal((4, 8, 8), dtype=np.float32)
    text = TextCondition(random.standard_normal((16, CONTEXT_SIZE), dtype=np.float32))
    identity = IdentityCondition(random.standard_normal((4, CONTEXT_SIZE), dtype=np.float32), 0.5)
    mix = tuple(AdapterUse(each, 0.5 + 0.25 * index) for index, each in enumerate(adapters))
    return UNetRow(latent, float(37 * seed % 1000), text, identity if seed % 2 else None, mix)


def uploads(model: str = "unet") -> float:
    return _metric(f'likeness_triton_calls_total{{call="upload",model="{model}",outcome="ok"}}')


def _metric(name: str) -> float:
    lines = generate_latest(REGISTRY).decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_predictions_are_those_of_onnx_runtime_in_process(unet: TritonUNet, onnx: OnnxUNet) -> None:
    batch = RowBatch.of([row(seed, *[adapter(unet, seed + k) for k in range(seed % 3)]) for seed in range(5)])

    prediction = unet.predict(batch)

    np.testing.assert_array_equal(prediction, onnx.predict(batch))
    assert unet.description == "triton onnxruntime float32 on cpu"
    assert unet.batch_tolerance == 0


def test_eight_clients_at_once_get_what_each_gets_alone(
    server: TritonServer, folder: ModelFolder, onnx: OnnxUNet
) -> None:
    """Strangers share the server's batches, and have more than twice the adapters that it has room for."""
    clients = [TritonUNet(folder, TritonOptions(server.target)) for _ in range(8)]
    batches = [RowBatch.of([row(10 * k + n, adapter(onnx, 10 * k + n)) for n in range(2)]) for k in range(8)]
    barrier = threading.Barrier(8)

    def predict_often(index: int) -> list[np.ndarray]:
        barrier.wait()
        return [clients[index].predict(batches[index]) for _ in range(6)]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(predict_often, range(8)))
    for client in clients:
        client.close()

    for batch, predictions in zip(batches, found, strict=True):
        alone = onnx.predict(batch)
        for prediction in predictions:
            np.testing.assert_array_equal(prediction, alone)


def test_an_adapter_is_sent_once_and_then_named(unet: TritonUNet) -> None:
    one = adapter(unet, 100)
    before = uploads()

    for seed in range(4):
        unet.predict(RowBatch.of([row(seed, one), row(seed + 1, one)]))

    assert uploads() - before == 1


def test_strengths_cost_no_upload_and_count(unet: TritonUNet, onnx: OnnxUNet) -> None:
    one, base = adapter(unet, 101), row(1)
    unet.predict(RowBatch.of([row(1, one)]))
    before = uploads()

    for weight in (-0.5, 0.0, 0.3, 1.0):
        batch = RowBatch.of([UNetRow(base.latent, 1.0, base.text, None, (AdapterUse(one, weight),))])
        np.testing.assert_array_equal(unet.predict(batch), onnx.predict(batch))

    assert uploads() == before


def test_evicted_adapters_come_back(unet: TritonUNet, onnx: OnnxUNet) -> None:
    first = RowBatch.of([row(1, adapter(unet, 200))])
    before = unet.predict(first)

    for seed in range(201, 201 + SLOTS):
        unet.predict(RowBatch.of([row(seed, adapter(unet, seed))]))
    sent = uploads()
    after = unet.predict(first)

    np.testing.assert_array_equal(after, before)
    assert uploads() - sent == 1


def test_a_batch_with_more_rows_than_a_request_takes_is_predicted(unet: TritonUNet, onnx: OnnxUNet) -> None:
    batch = RowBatch.of([row(seed, adapter(unet, seed % 3)) for seed in range(2 * MAX_ROWS + 1)])

    np.testing.assert_array_equal(unet.predict(batch), onnx.predict(batch))


def test_a_batch_with_more_adapters_than_fit_is_predicted(unet: TritonUNet, onnx: OnnxUNet) -> None:
    batch = RowBatch.of([row(seed, adapter(unet, 300 + seed)) for seed in range(2 * SLOTS)])

    np.testing.assert_array_equal(unet.predict(batch), onnx.predict(batch))


def test_a_row_with_more_adapters_than_a_message_names_is_predicted(unet: TritonUNet, onnx: OnnxUNet) -> None:
    batch = RowBatch.of([row(1, *[adapter(unet, 400 + seed, rank=1) for seed in range(9)])])

    np.testing.assert_array_equal(unet.predict(batch), onnx.predict(batch))


def test_a_forgotten_adapter_has_to_be_sent_again(unet: TritonUNet) -> None:
    batch = RowBatch.of([row(1, adapter(unet, 500))])
    before, sent = unet.predict(batch), uploads()

    unet.forget_adapters(["adapters/500"])
    after = unet.predict(batch)

    np.testing.assert_array_equal(after, before)
    assert uploads() - sent == 1


def test_nobody_can_plant_content_under_anothers_key(unet: TritonUNet) -> None:
    """The server checks the digest, so a key gives its own content or nothing."""
    mine, theirs = adapter(unet, 600), adapter(unet, 601)
    remote = unet._remote
    key = remote._residents.key_of(theirs)

    with pytest.raises(RuntimeError, match="UPLOAD_REFUSED: the content does not have the digest"):
        unet._connection.run(remote._upload(key, mine, _deadline()))

    unet.predict(RowBatch.of([row(1, mine)]))


@pytest.mark.parametrize("kind", ["none", "system"])
def test_shared_memory_changes_no_bit_and_leaves_no_region(
    server: TritonServer, folder: ModelFolder, onnx: OnnxUNet, kind: str
) -> None:
    client = TritonUNet(folder, TritonOptions(server.target, shared_memory=kind))
    try:
        for count in (1, 8, 3, 16):
            batch = RowBatch.of([row(seed, adapter(onnx, 700 + seed % 3)) for seed in range(count)])
            np.testing.assert_array_equal(client.predict(batch), onnx.predict(batch))
            assert _regions() == []
    finally:
        client.close()


def test_a_call_past_its_deadline_ends_typed_and_harms_no_later_one(
    server: TritonServer, folder: ModelFolder, onnx: OnnxUNet
) -> None:
    """The model is stopped in its tracks, with a call in memory that it may still write into later."""
    client = TritonUNet(folder, TritonOptions(server.target, deadline_s=20, shared_memory="system"))
    late, later = (RowBatch.of([row(seed, adapter(onnx, 800))]) for seed in (1, 2))
    client.predict(late)
    client._options = TritonOptions(server.target, deadline_s=0.5, shared_memory="system")
    model_process = server.model_process("unet")
    os.kill(model_process, signal.SIGSTOP)
    try:
        with pytest.raises(LikenessError) as raised:
            client.predict(late)
    finally:
        os.kill(model_process, signal.SIGCONT)

    assert raised.value.reason is ErrorReason.DEADLINE_EXCEEDED
    client._options = TritonOptions(server.target, deadline_s=20, shared_memory="system")
    for _ in range(3):
        np.testing.assert_array_equal(client.predict(later), onnx.predict(later))
    assert _regions() == []
    client.close()


def test_a_killed_model_process_is_survived(
    server: TritonServer, folder: ModelFolder, onnx: OnnxUNet
) -> None:
    """Triton still calls the model ready; the client has it loaded anew and sends what is needed."""
    unet = TritonUNet(folder, TritonOptions(server.target, deadline_s=200))
    batch = RowBatch.of([row(1, adapter(unet, 900))])
    before, sent = unet.predict(batch), uploads()
    restarts = _metric('likeness_triton_restarts_total{model="unet"}')

    os.kill(server.model_process("unet"), signal.SIGKILL)
    after = unet.predict(batch)
    unet.close()

    np.testing.assert_array_equal(after, before)
    assert uploads() - sent == 1
    assert _metric('likeness_triton_restarts_total{model="unet"}') - restarts == 1


def test_a_model_that_is_not_loaded_is_not_ready_and_then_waited_for(
    server: TritonServer, folder: ModelFolder, onnx: OnnxUNet
) -> None:
    client = TritonUNet(folder, TritonOptions(server.target, model="planned", deadline_s=200))
    connection, batch = client._connection, RowBatch.of([row(1, adapter(onnx, 950))])
    connection.run(connection.client.unload_model("planned"))

    with pytest.raises(LikenessError) as raised:
        TritonUNet(folder, TritonOptions(server.target, model="planned", deadline_s=1))
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(client.predict, batch)
        connection.run(connection.client.load_model("planned"))
        prediction = pending.result(200)
    client.close()

    assert raised.value.reason is ErrorReason.NOT_WARM
    np.testing.assert_array_equal(prediction, onnx.predict(batch))


def test_a_plan_behind_the_model_gets_the_same_tensors(
    server: TritonServer, folder: ModelFolder, onnx: OnnxUNet
) -> None:
    """The TensorRT arrangement with another second model: bank and gathering in front, the graph behind."""
    client = TritonUNet(folder, TritonOptions(server.target, model="planned"))
    batch = RowBatch.of([row(seed, *[adapter(onnx, 970 + k) for k in range(seed % 3)]) for seed in range(5)])

    for _ in range(2):
        np.testing.assert_array_equal(client.predict(batch), onnx.predict(batch))

    assert client.description == "triton planned_plan on cpu"
    client.close()


def test_other_weights_are_refused(server: TritonServer, tmp_path: Path) -> None:
    other = open_model_folder(make_tiny_sd(tmp_path / "other", TinySd(seed=1)))

    with pytest.raises(LikenessError) as raised:
        TritonUNet(other, TritonOptions(server.target))

    assert raised.value.reason is ErrorReason.MODEL_MISSING
    assert "likeness export" in raised.value.message


def test_a_model_that_triton_lacks_is_refused_at_once(server: TritonServer, folder: ModelFolder) -> None:
    with pytest.raises(LikenessError) as raised:
        TritonUNet(folder, TritonOptions(server.target, model="none"))

    assert raised.value.reason is ErrorReason.MODEL_MISSING


def test_no_server_is_an_error_after_the_deadline(folder: ModelFolder) -> None:
    with pytest.raises(LikenessError) as raised:
        TritonUNet(folder, TritonOptions("127.0.0.1:9", deadline_s=1))

    assert raised.value.reason is ErrorReason.UNREACHABLE
    assert "127.0.0.1:9" in raised.value.message


@pytest.mark.parametrize("kind", ["none", "system"])
def test_a_restarted_server_is_waited_for(
    server: TritonServer, folder: ModelFolder, onnx: OnnxUNet, kind: str
) -> None:
    """Last but one: a call that finds nobody waits within its deadline, and everything is set up anew."""
    client = TritonUNet(folder, TritonOptions(server.target, deadline_s=200, shared_memory=kind))
    batch = RowBatch.of([row(seed, adapter(onnx, 1000 + seed)) for seed in range(3)])
    before = client.predict(batch)
    server.stop(signal.SIGKILL)
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(client.predict, batch)
        server.start()
        after = pending.result(200)
    client.close()

    np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(after, onnx.predict(batch))


def test_sigterm_ends_the_server_and_leaves_no_shared_memory(server: TritonServer) -> None:
    """The last test of this file: it ends the server that all of them share, as a start is expensive."""
    assert server.process.poll() is None
    assert server.shm_files()

    assert server.stop() == 0

    assert server.shm_files() == []
    assert _regions() == []


def _deadline() -> object:
    from services.diffusion.adapters.triton.connection import Deadline

    return Deadline(20)


def _regions() -> list[Path]:
    """Regions of this process's clients."""
    return list(Path("/dev/shm").glob(f"likeness-{os.getpid()}-*"))
