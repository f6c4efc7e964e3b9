"""Reads a Stable Diffusion folder in the usual Hugging Face layout: safetensors only, never the network.

Layout: model_index.json unet/ vae/ text_encoder/ tokenizer/ scheduler/ [text_encoder_2/ tokenizer_2/]
[ip_adapter.safetensors] [vae/fold.json]. The package knows files and tensors and no use case, so every
service that touches such a folder shares it. Importing it is light; torch, diffusers and transformers
are imported by the functions that need them.
"""

from shared.sdmodels.canonical import canonical
from shared.sdmodels.digest import base_model_digest
from shared.sdmodels.errors import ModelFileMissing, ModelUnsupported, SdModelError, TooManyTokens
from shared.sdmodels.folder import ModelFolder, open_model_folder
from shared.sdmodels.loading import (
    load_noise_schedule,
    load_text_encoder,
    load_tokenizer,
    load_unet,
    load_vae,
    scheduler_config,
)
from shared.sdmodels.lora_metadata import LoraMetadata
from shared.sdmodels.text import count_tokens, encode_prompts, tokenize

__all__ = [
    "LoraMetadata",
    "ModelFileMissing",
    "ModelFolder",
    "ModelUnsupported",
    "SdModelError",
    "TooManyTokens",
    "base_model_digest",
    "canonical",
    "count_tokens",
    "encode_prompts",
    "load_noise_schedule",
    "load_text_encoder",
    "load_tokenizer",
    "load_unet",
    "load_vae",
    "open_model_folder",
    "scheduler_config",
    "tokenize",
]
