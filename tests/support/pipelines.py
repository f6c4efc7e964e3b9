"""Runs diffusers' own pipelines and our programs side by side, on tiny random-weight models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from services.diffusion.adapters.model_folders import AdapterLimits, load_model
from services.diffusion.adapters.samplers import SAMPLERS
from services.diffusion.domain.adapters import AdapterUse
from services.diffusion.domain.model import Model
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.engine.preparation import start_program
from shared.artifacts import open_store
from shared.sdmodels import open_model_folder
from tests.support.programs import drive

TOLERANCE = 1e-4
"""Float32, absolute, on latents."""


def load_tiny(path: Path) -> Model:
    """The folder as the service loads it."""
    limits = AdapterLimits(max_rank=64, cache_bytes=2**20)
    return load_model("tiny", open_model_folder(path), open_store("memory://pipelines"), limits)


def ours(model: Model, request: GenerationRequest, adapters: Sequence[tuple[str, float]] = ()) -> np.ndarray:
    """Final latents of *request* with shipped adapters by (name, weight)."""
    mix = tuple(AdapterUse(model.adapters.by_name(name), weight) for name, weight in adapters)
    return drive(model, start_program(model, request, mix)).latents


def pipeline(path: Path, sampler: str, class_name: str = "StableDiffusionPipeline", **parts: Any) -> Any:
    """diffusers' pipeline of that class on the folder, with one of our samplers or a scheduler by class."""
    import diffusers

    extra = {} if "XL" in class_name else {"safety_checker": None, "requires_safety_checker": False}
    made = getattr(diffusers, class_name).from_pretrained(path, use_safetensors=True, **extra, **parts)
    scheduler, overrides = SAMPLERS.get(sampler, (sampler, {}))
    made.scheduler = getattr(diffusers, scheduler).from_config(made.scheduler.config, **overrides)
    made.set_progress_bar_config(disable=True)
    return made


def theirs(made: Any, request: GenerationRequest, **more: Any) -> np.ndarray:
    """Final latents of the pipeline *made* for *request*; *more* goes to its call."""
    images = made(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        num_inference_steps=request.step_count,
        guidance_scale=request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="latent",
        **more,
    ).images
    return images[0].numpy()


def set_adapters(made: Any, folder: Path, adapters: Sequence[tuple[str, float]]) -> None:
    """Load adapters of the folder into the pipeline, as people do."""
    for name, _ in adapters:
        made.load_lora_weights(folder / "adapters" / f"{name}.safetensors", adapter_name=name)
    made.set_adapters([name for name, _ in adapters], [weight for _, weight in adapters])


def face_id(made: Any, folder: Path, embedding: np.ndarray, scale: float) -> dict[str, Any]:
    """Load the folder's IP-Adapter into the pipeline; returns what its call needs for *embedding*."""
    made.load_ip_adapter(
        str(folder), subfolder="", weight_name="ip_adapter.safetensors", image_encoder_folder=None
    )
    made.set_ip_adapter_scale(scale)
    prompted = torch.from_numpy(embedding)[None, None]
    return {"ip_adapter_image_embeds": [torch.cat([torch.zeros_like(prompted), prompted])]}
