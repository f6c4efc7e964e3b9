"""Random adapters over the layers that the training service trains, in files as it writes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from loadtests.engine.scale import WORK
from loadtests.traffic import STYLE_COUNT
from services.lora_training.adapters.torch_trainer.lora import TARGET_MODULES, adapter_bytes
from shared.artifacts import ArtifactStore, open_store
from shared.sdmodels import LoraMetadata, load_unet, open_model_folder

RANK = 8
TENANT = "bench"
IDENTITY_WEIGHT, STYLE_WEIGHT = 1.0, 0.7
# Small enough that a picture stays a picture, large enough that another adapter gives another one.
_UP_SCALE = 0.02


@dataclass(frozen=True)
class AdapterFiles:
    """Where the adapters lie in the artifact store, in the order of their numbers."""

    identities: tuple[str, ...]
    styles: tuple[str, ...]


def make_adapters(weights: Path, identity_count: int) -> tuple[ArtifactStore, AdapterFiles]:
    """Writes identities and styles into a store under out/; the same ones each time."""
    store = open_store(str(WORK / "store"))
    layers = dict(_layers(load_unet(open_model_folder(weights))))
    uris = [
        store.put(_adapter(layers, seed), tenant=TENANT, media_type="application/safetensors").uri
        for seed in range(identity_count + STYLE_COUNT)
    ]
    return store, AdapterFiles(tuple(uris[STYLE_COUNT:]), tuple(uris[:STYLE_COUNT]))


def _layers(unet: nn.Module) -> Iterator[tuple[str, tuple[int, int]]]:
    for path, module in unet.named_modules():
        if path.endswith(TARGET_MODULES) and isinstance(module, nn.Linear):
            yield path, (module.out_features, module.in_features)


def _adapter(layers: dict[str, tuple[int, int]], seed: int) -> bytes:
    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, torch.Tensor] = {}
    for path, (out_size, in_size) in layers.items():
        down = torch.randn(RANK, in_size, generator=generator) / in_size**0.5
        up = torch.randn(out_size, RANK, generator=generator) * _UP_SCALE
        weights |= {f"unet.{path}.lora_A.weight": down, f"unet.{path}.lora_B.weight": up}
    return adapter_bytes(weights, LoraMetadata(rank=RANK, alpha=float(RANK)), {})
