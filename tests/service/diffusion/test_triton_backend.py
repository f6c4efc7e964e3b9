"""The diffusion service with its UNet on a real Triton server: its pictures are those of ONNX Runtime."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.diffusion.v1.diffusion_pb2_grpc import DiffusionServiceStub
from PIL import Image

from services.diffusion.bootstrap import build
from services.diffusion.export import export
from services.diffusion.settings import DiffusionSettings
from shared.artifacts import open_store
from shared.errors import ErrorReason
from shared.errors.rpc import from_rpc_error
from shared.sdmodels import load_unet, open_model_folder
from tests.support.tiny_sd import EMBEDDING_SIZE, make_tiny_sd, save_random_lora
from tests.support.triton_server import TritonServer, needs_triton, triton_server

Serve = Callable[..., Awaitable[grpc.aio.Channel]]

pytestmark = [*needs_triton, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_tiny_sd(tmp_path_factory.mktemp("triton") / "tiny")
    (path / "adapters").mkdir()
    unet = load_unet(open_model_folder(path))
    for seed, name in enumerate(("ann", "bob", "studio")):
        save_random_lora(unet, path / "adapters" / f"{name}.safetensors", seed=seed)
    return path


@pytest.fixture(scope="module")
def server(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """As the command line does it: the graph goes into the model's folder, where both services find it."""
    place = tmp_path_factory.mktemp("served")
    export(tiny, "onnx")
    export(tiny, "triton", place / "models", {"name": "unet_tiny", "rank_rows": 64})
    with triton_server(place / "models", place / "server.log") as running:
        yield running


def _settings(tiny: Path, server: TritonServer, **more: object) -> DiffusionSettings:
    return DiffusionSettings(
        models={"tiny": tiny},
        torch_threads=1,
        graph_cache=tiny.parent / "graphs",
        triton_target=server.target,
        triton_model="unet_{model}",
        **more,
    )


def _requests() -> list[pb.GenerateRequest]:
    """Different people, styles, strengths and samplers, as strangers have them."""
    embedding = np.full(EMBEDDING_SIZE, EMBEDDING_SIZE**-0.5, np.float32)
    requests = []
    for seed, names in enumerate((("ann", "studio"), ("bob",), ("bob", "studio"), ())):
        request = pb.GenerateRequest(
            prompt="a face", step_count=4 + seed, seed=seed, width_px=64, height_px=64, guidance_scale=3.0
        )
        for index, name in enumerate(names):
            request.adapters.add(name=name, weight=1.0 - 0.3 * index - 0.1 * seed)
        if seed % 2:
            request.identity.scale = 0.7
            request.identity.embeddings.add(values=embedding.tolist())
        requests.append(request)
    return requests


async def _picture(stub: DiffusionServiceStub, request: pb.GenerateRequest) -> np.ndarray:
    responses = [response async for response in stub.Generate(request, timeout=120)]
    return np.asarray(Image.open(io.BytesIO(responses[-1].image.image.data)))


@pytest.mark.parametrize("memory", ["none", "system"])
async def test_pictures_equal_those_of_onnx_runtime_in_process(
    serve: Serve, server: TritonServer, tiny: Path, memory: str
) -> None:
    store = open_store("memory://triton-service")
    here = build(_settings(tiny, server, backend="onnxruntime"), store=store)
    there = build(_settings(tiny, server, backend="triton", triton_shared_memory=memory), store=store)
    local, remote = [DiffusionServiceStub(await serve([service])) for service in (here, there)]
    alone = [await _picture(local, request) for request in _requests()]

    together = await asyncio.gather(*(_picture(remote, request) for request in _requests()))

    for mine, theirs in zip(alone, together, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert len({picture.tobytes() for picture in alone}) == len(alone)
    models = await remote.ListModels(pb.ListModelsRequest(), timeout=10)
    assert models.models[0].backend == "triton onnxruntime float32 on cpu"


async def test_without_the_server_a_picture_fails_with_the_remedy(
    serve: Serve, server: TritonServer, tiny: Path
) -> None:
    """The last test of this file: it ends the server. All fail after one deadline, not one after another."""
    settings = _settings(tiny, server, backend="triton", triton_deadline_s=5.0)
    service = build(settings, store=open_store("memory://triton-gone"))
    stub = DiffusionServiceStub(await serve([service]))
    await _picture(stub, _requests()[0])
    server.stop()

    began_s = asyncio.get_running_loop().time()
    failures = await asyncio.gather(*(_picture(stub, r) for r in _requests()), return_exceptions=True)
    took_s = asyncio.get_running_loop().time() - began_s

    for failure in failures:
        assert isinstance(failure, grpc.aio.AioRpcError)
        assert failure.code() is grpc.StatusCode.UNAVAILABLE
        assert from_rpc_error(failure).reason is ErrorReason.UNREACHABLE
        assert server.target in str(failure.details())
    assert took_s < 3 * settings.triton_deadline_s
