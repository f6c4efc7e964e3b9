"""UNets shaped as those of Stable Diffusion 1.5 and XL, random weights: they export, load and take a step.

All blocks, layers, heads and conditions are the originals'; channels are a quarter (SDXL: an eighth) of
theirs, so that export and step fit into a test. Full-size graphs differ in the widths alone.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.diffusion.adapters.graph.export import export_unet
from services.diffusion.adapters.onnx_unet import OnnxUNet
from services.diffusion.adapters.openvino_unet import OpenvinoUNet
from services.diffusion.adapters.torch_unet import TorchUNet
from services.diffusion.domain.adapters import AdapterUse
from services.diffusion.domain.rows import RowBatch, TextCondition, UNetRow
from shared.sdmodels import ModelFolder, load_unet
from tests.support.unet_rows import ATTENTION, adapter

SD15: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (80, 160, 320, 320),
    "norm_num_groups": 16,
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
}
SDXL: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (40, 80, 160),
    "norm_num_groups": 8,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": [5, 10, 20],
    "transformer_layers_per_block": [1, 2, 10],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 1280 + 6 * 256,
}


@pytest.fixture(scope="module", params=[SD15, SDXL], ids=["sd15", "sdxl"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    import torch
    from diffusers import UNet2DConditionModel

    path = tmp_path_factory.mktemp("shapes")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        UNet2DConditionModel(**request.param).save_pretrained(path / "unet")
    return ModelFolder(path, "sdxl" if "addition_embed_type" in request.param else "sd")


def _row(seed: int, folder: ModelFolder) -> UNetRow:
    random = np.random.default_rng(seed)
    context = random.standard_normal((77, folder.unet_config["cross_attention_dim"]), dtype=np.float32)
    pooled, ids = None, None
    if folder.family == "sdxl":
        pooled = random.standard_normal(1280, dtype=np.float32)
        ids = np.array([1024, 1024, 0, 0, 1024, 1024], dtype=np.float32)
    latent = random.standard_normal((4, 32, 40), dtype=np.float32)
    return UNetRow(latent, 500.0, TextCondition(context, pooled, ids))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_exports_loads_and_takes_a_step(folder: ModelFolder, tmp_path: Path) -> None:
    place = tmp_path / "graph"
    place.mkdir()
    graph = export_unet(folder, place)
    torch_unet = TorchUNet(load_unet(folder))
    person = AdapterUse(adapter(graph.layer_shapes, 1, 8, ATTENTION, size=0.1), 1.0)
    style = AdapterUse(adapter(graph.layer_shapes, 2, 8, size=0.05), 0.7)
    rows = [_row(1, folder), _row(2, folder)]
    mixed = [
        UNetRow(row.latent, row.timestep, row.text, None, mix)
        for row, mix in zip(rows, ((person,), (person, style)), strict=True)
    ]

    expected = torch_unet.predict(RowBatch.of(mixed))

    assert graph.layer_shapes == torch_unet.layer_shapes
    assert np.abs(expected - torch_unet.predict(RowBatch.of(rows))).max() > 1e-2
    for backend in (OnnxUNet(graph), OpenvinoUNet(graph, "f32")):
        together = backend.predict(RowBatch.of(mixed))
        alone = np.concatenate([backend.predict(RowBatch.of([row])) for row in mixed])
        np.testing.assert_allclose(together, expected, rtol=0, atol=2e-4)
        np.testing.assert_array_equal(together, alone)
