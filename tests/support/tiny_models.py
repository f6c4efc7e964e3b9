"""The engine around tiny random-weight models, on each backend that runs here."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import torch

from services.diffusion.adapters.model_folders import AdapterLimits, load_model
from services.diffusion.adapters.torch_threads import bound_torch_threads
from services.diffusion.adapters.unet_backends import BackendName, UNetOptions
from services.diffusion.domain.model import Model
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from shared.artifacts import ArtifactStore
from shared.sdmodels import load_unet, open_model_folder
from tests.support.tiny_sd import make_tiny_sd, save_random_lora

BACKENDS: tuple[BackendName, ...] = ("torch", "onnxruntime", "openvino")


def make_folder(path: Path) -> Path:
    """A tiny folder that ships the adapters "person", "other" (attention) and "style" (convolutions too)."""
    make_tiny_sd(path)
    (path / "adapters").mkdir()
    unet = load_unet(open_model_folder(path))
    save_random_lora(unet, path / "adapters" / "person.safetensors", seed=1, rank=3)
    save_random_lora(unet, path / "adapters" / "other.safetensors", seed=3, rank=2)
    wide = ("to_q", "to_v", "to_out.0", "ff.net.2", "proj_in", "conv1", "time_emb_proj")
    save_random_lora(unet, path / "adapters" / "style.safetensors", seed=2, rank=5, targets=wide)
    return path


def on_backend(path: Path, backend: BackendName, store: ArtifactStore, cache_bytes: int = 2**22) -> Model:
    """The folder with its UNet on *backend*; the graph lies beside the folder."""
    folder = open_model_folder(path)
    limits = AdapterLimits(max_rank=64, cache_bytes=cache_bytes)
    options = UNetOptions(backend=backend, precision="f32", graph_cache=path.parent / "graphs")
    return load_model("tiny", folder, store, limits, options)


class OneModel:
    """A model store of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def names(self) -> Sequence[str]:
        return (self._model.info.name,)

    def load(self, name: str) -> Model:
        return self._model

    def close(self) -> None:
        pass


@asynccontextmanager
async def engine(model: Model, limits: BatchLimits) -> AsyncIterator[Generation]:
    """A running engine with the threads that the service has."""
    unet, decode, prepare = (ThreadPoolExecutor(1) for _ in range(3))
    bound_torch_threads({unet: torch.get_num_threads(), decode: 1, prepare: 1})
    generation = Generation(OneModel(model), limits, Threads(unet, decode, prepare))
    try:
        yield generation
    finally:
        await generation.close()
