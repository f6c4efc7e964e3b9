"""The frozen base model of a run: what encodes the data, and the network that the adapter is trained into."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from diffusers import UNet2DConditionModel

from services.lora_training.errors import CaptionTooLong, ModelNotTrainable
from shared.sdmodels import (
    ModelFolder,
    SdModelError,
    TooManyTokens,
    encode_prompts,
    load_text_encoder,
    load_tokenizer,
    load_unet,
    load_vae,
    open_model_folder,
)


def open_trainable(path: Path) -> ModelFolder:
    """Open a model folder. Raises: ModelNotTrainable if it is incomplete or of an unsupported family."""
    try:
        folder = open_model_folder(path)
    except SdModelError as error:
        raise ModelNotTrainable(capability=f"training on {path.name}", needed=str(error)) from error
    if folder.family != "sd":
        needed = "a Stable Diffusion 1 or 2 folder, as the trainer drives one text encoder"
        raise ModelNotTrainable(capability=f"training on {path.name}, an SDXL folder", needed=needed)
    return folder


def conditioning_digest(folder: ModelFolder) -> str:
    """Return the hex SHA-256 of what a run reads of the model beside the UNet."""
    hasher = hashlib.sha256()
    files = [file for part in ("vae", "text_encoder") for file in sorted((folder.path / part).iterdir())]
    for file in [*files, folder.ip_adapter_file]:
        if file is not None and file.suffix in (".safetensors", ".json"):
            with file.open("rb") as stream:
                hasher.update(hashlib.file_digest(stream, "sha256").digest())
    return hasher.hexdigest()


def encode_images(folder: ModelFolder, images: Sequence[npt.NDArray[np.uint8]]) -> torch.Tensor:
    """Return float32 latents (N, C, h, w) of equally large RGB uint8 images: the mode, so nothing random."""
    vae = load_vae(folder)
    latents = []
    with torch.no_grad():
        for image in images:
            pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1.0
            latents.append(vae.encode(pixels))
    return torch.cat(latents)


def encode_captions(folder: ModelFolder, captions: Sequence[str]) -> torch.Tensor:
    """Return float32 text states (N, tokens, width). Raises: CaptionTooLong; a caption is never cut."""
    tokenizer, encoder = load_tokenizer(folder), load_text_encoder(folder)
    try:
        return encode_prompts(tokenizer, encoder, list(captions)).float()
    except TooManyTokens as error:
        raise CaptionTooLong(field="caption", tokens=error.token_count, limit=error.token_limit) from error


def load_denoiser(folder: ModelFolder, *, with_identity: bool) -> UNet2DConditionModel:
    """Return the frozen UNet, in bf16 where the CPU has it in hardware, with its IP-Adapter when asked.

    Raises: ModelNotTrainable if identity tokens are asked for and the folder has no ip_adapter.safetensors.
    """
    unet = load_unet(folder, multiply_type())
    if not with_identity:
        return unet
    if folder.ip_adapter_file is None:
        raise ModelNotTrainable(
            capability="training with identity tokens", needed="ip_adapter.safetensors in the model"
        )
    parts: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, tensor in safetensors.torch.load_file(folder.ip_adapter_file).items():
        part, _, name = key.partition(".")
        parts[part][name] = tensor.to(unet.dtype)
    unet._load_ip_adapter_weights([parts])  # the same call as in diffusers' load_ip_adapter
    unet.eval().requires_grad_(False)
    return unet


def multiply_type() -> torch.dtype:
    """Return bfloat16 on CPUs that have instructions for it, else float32: emulated bf16 is slower."""
    has_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if has_bf16 else torch.float32
