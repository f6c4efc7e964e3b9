"""UNet backends on a tiny network of random weights, and how to open each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.diffusion.adapters.fake import FakeUNet
from services.diffusion.domain.ports import UNetBackend
from services.diffusion.domain.rows import RowBatch, UNetRow
from tests.support.triton_server import triton_server
from tests.support.unet_rows import Layers, stranger

# What every opened backend takes at most.
MAX_MIX_RANK = 40


@dataclass(frozen=True)
class Case:
    """A backend, the layers that it knows and how far it may be from float32 torch.

    `keeps_packed`: whether it keeps adapters in a form of its own in this process.
    """

    backend: UNetBackend
    layers: Layers
    tolerance: float
    keeps_packed: bool = True


def _open(backend: Any, precision: Any, tolerance: float) -> Callable[[Path], Case]:
    def make(tiny: Path) -> Case:
        from services.diffusion.adapters.unet_backends import UNetOptions, open_unet
        from shared.sdmodels import open_model_folder

        options = UNetOptions(
            backend,
            precision=precision,
            thread_count=2,
            max_mix_rank=MAX_MIX_RANK,
            graph_cache=tiny.parent / "graphs",
        )
        opened = open_unet(open_model_folder(tiny), options)
        return Case(opened.backend, opened.layer_shapes, tolerance)

    return make


# By name; those in MODELS run the network, the fake one does not.
MODELS = {
    "torch": _open("torch", "f32", 0.0),
    "torch_bf16": _open("torch", "bf16", 0.1),
    "onnxruntime": _open("onnxruntime", "f32", 1e-5),
    "openvino": _open("openvino", "f32", 5e-5),
    "openvino_bf16": _open("openvino", "bf16", 0.1),
}
FAKE = {"fake": lambda _: Case(FakeUNet(), {"unet.any": (4, 4)}, np.inf)}
Opened = Callable[[str], Case]


@contextmanager
def triton_case(tiny: Path) -> Iterator[Case]:
    """A real server of the tiny network, for as long as the context lasts."""
    from services.diffusion.adapters.graph.cache import cached_graph
    from services.diffusion.adapters.triton.config_text import RepositoryOptions
    from services.diffusion.adapters.triton.options import TritonOptions
    from services.diffusion.adapters.triton.repository import write_repository
    from services.diffusion.adapters.triton_unet import TritonUNet
    from shared.sdmodels import open_model_folder

    folder, models = open_model_folder(tiny), tiny.parent / "models"
    options = RepositoryOptions(side_cells=8, context_tokens=16, rank_rows=128, max_rank=MAX_MIX_RANK)
    write_repository(cached_graph(folder, tiny.parent / "graphs"), models, options)
    with triton_server(models, tiny.parent / "server.log") as server:
        backend = TritonUNet(folder, TritonOptions(server.target))
        yield Case(backend, backend.layer_shapes, 1e-5, keeps_packed=False)
        backend.close()


def predict(case: Case, *rows: UNetRow) -> np.ndarray:
    """What the backend of *case* says to these rows in one call."""
    return case.backend.predict(RowBatch.of(rows))


def strangers(case: Case) -> list[UNetRow]:
    """Eight rows that differ in all that they can carry."""
    layers = {"unet.any.to_k": (4, 4)} if "unet.any" in case.layers else case.layers
    return [stranger(seed, layers) for seed in range(1, 9)]
