"""What is computed once per run: latents of all crops, their loss weights, the captions' states."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import safetensors.torch
import torch

from services.lora_training.adapters.torch_trainer.crops import Crop, cut, jitters
from services.lora_training.adapters.torch_trainer.model import encode_captions, encode_images
from services.lora_training.domain.example import TrainingExample
from services.lora_training.domain.framing import Framing
from services.lora_training.domain.recipe import Recipe
from shared.sdmodels import ModelFolder

# Recipe fields that decide what is cached; the others may change without a new cache.
_CROP_FIELDS = ("seed", "variants_per_photo", "flips", "background_weight")


@dataclass(frozen=True)
class Dataset:
    """The encoded examples, float32.

    Attributes:
        latents: (N * V, C, h, w); row n * V + v is variant v of example n.
        cell_weights: (N * V, 1, h, w) in [0, 1].
        captions: (N, tokens, width).
        empty_caption: (1, tokens, width).
    """

    latents: torch.Tensor
    cell_weights: torch.Tensor
    captions: torch.Tensor
    empty_caption: torch.Tensor

    @property
    def example_count(self) -> int:
        """Number of examples N."""
        return len(self.captions)

    @property
    def variant_count(self) -> int:
        """Number of crops V of each example."""
        return len(self.latents) // len(self.captions)


def load_or_encode(
    folder: ModelFolder, source: str, examples: Sequence[TrainingExample], recipe: Recipe, cache: Path
) -> Dataset:
    """Return the dataset of `cache` if that file was made of the same input, else encode and write it.

    Args:
        folder: the base model.
        source: names the weights that encode: other weights, other latents.
        examples: at least one.
        recipe: decides the crops.
        cache: safetensors file, replaced atomically.

    Raises: CaptionTooLong.
    """
    framing = Framing.of_model(folder.path)
    crop_facts = {name: getattr(recipe, name) for name in _CROP_FIELDS}
    facts = [source, asdict(framing), crop_facts, [example.digest() for example in examples]]
    fingerprint = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    cached = _read(cache, fingerprint)
    if cached is not None:
        return cached
    dataset = _encode(folder, examples, recipe, framing)
    draft = cache.with_suffix(".draft")
    safetensors.torch.save_file(vars(dataset), draft, metadata={"fingerprint": fingerprint})
    os.replace(draft, cache)
    return dataset


def _read(cache: Path, fingerprint: str) -> Dataset | None:
    if not cache.is_file():
        return None
    with safetensors.safe_open(cache, framework="pt") as file:
        if file.metadata().get("fingerprint") != fingerprint:
            return None
        return Dataset(**{name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (not a mapping)


def _encode(
    folder: ModelFolder, examples: Sequence[TrainingExample], recipe: Recipe, framing: Framing
) -> Dataset:
    side = folder.default_size_px
    crops = [
        cut(example, side, framing, jitter, recipe.background_weight)
        for index, example in enumerate(examples)
        for jitter in jitters(recipe, index)
    ]
    states = encode_captions(folder, [*(example.caption for example in examples), ""])
    return Dataset(
        latents=encode_images(folder, [crop.image for crop in crops]),
        cell_weights=torch.stack([_cell_weights(crop, side // folder.pixels_per_latent) for crop in crops]),
        captions=states[:-1].contiguous(),
        empty_caption=states[-1:].contiguous(),
    )


def _cell_weights(crop: Crop, cells: int) -> torch.Tensor:
    """Average the pixel weights over each latent cell: (1, cells, cells)."""
    small = cv2.resize(crop.weights, (cells, cells), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.ascontiguousarray(small))[None]
