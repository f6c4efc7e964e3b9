"""Finds out what a Stable Diffusion folder holds, without loading a weight."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from shared.sdmodels.errors import ModelFileMissing, ModelUnsupported

Family = Literal["sd", "sdxl"]


@dataclass(frozen=True)
class ModelFolder:
    """An opened model folder; every component that `family` needs was present when it was opened."""

    path: Path
    family: Family

    @property
    def name(self) -> str:
        """Last part of the path: how requests address the model."""
        return self.path.name

    @cached_property
    def unet_config(self) -> dict[str, Any]:
        """Parsed unet/config.json."""
        return read_json(self.path / "unet" / "config.json")

    @property
    def latent_channels(self) -> int:
        """Channels of one latent."""
        return int(self.unet_config["in_channels"])

    @cached_property
    def space_to_depth(self) -> int:
        """Pixel-unshuffle factor around the VAE; 1 for one that takes plain pixels."""
        fold = self.path / "vae" / "fold.json"
        return int(read_json(fold)["space_to_depth"]) if fold.exists() else 1

    @cached_property
    def pixels_per_latent(self) -> int:
        """Side of the square of image pixels that one latent cell stands for (8 for Stable Diffusion)."""
        return downscale_of(read_json(self.path / "vae" / "config.json")) * self.space_to_depth

    @property
    def default_size_px(self) -> int:
        """Side in pixels that the model was trained at (unet sample_size times pixels_per_latent)."""
        sample_size = self.unet_config.get("sample_size") or 64
        side = sample_size if isinstance(sample_size, int) else sample_size[0]
        return int(side) * self.pixels_per_latent

    @property
    def ip_adapter_file(self) -> Path | None:
        """IP-Adapter weights beside the model, None when the model has none."""
        file = self.path / "ip_adapter.safetensors"
        return file if file.exists() else None


def downscale_of(vae_config: Mapping[str, Any]) -> int:
    """Side of a latent cell in what the autoencoder sees; AutoencoderDC lists its encoder's stages apart."""
    stages = vae_config.get("block_out_channels") or vae_config["encoder_block_out_channels"]
    return int(2 ** (len(stages) - 1))


def read_json(file: Path) -> dict[str, Any]:
    """Parse one JSON object. Raises: ModelFileMissing if the file is absent or is not a JSON object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelFileMissing(file, "not found") from error
    except ValueError as error:
        raise ModelFileMissing(file, "not valid JSON") from error
    if not isinstance(content, dict):
        raise ModelFileMissing(file, "not a JSON object")
    return content


def open_model_folder(path: str | Path) -> ModelFolder:
    """Check that *path* is a complete Stable Diffusion 1/2 or SDXL folder in safetensors.

    Raises:
        ModelFileMissing: a component or its safetensors file is absent (pickled weights do not count).
        ModelUnsupported: the folder is of another family (a transformer denoiser, for example).
    """
    root = Path(path)
    index = read_json(root / "model_index.json")
    if "transformer" in index or "unet" not in index:
        pipeline = index.get("_class_name", "unknown pipeline")
        raise ModelUnsupported(root, f"{pipeline} has no UNet; Stable Diffusion 1, 2 and XL are supported")
    is_xl = read_json(root / "unet" / "config.json").get("addition_embed_type") == "text_time"
    weighted = ["unet", "vae", "text_encoder"] + (["text_encoder_2"] if is_xl else [])
    for component in weighted:
        read_json(root / component / "config.json")
        weight_files(root / component)
    for component in ["tokenizer"] + (["tokenizer_2"] if is_xl else []):
        if not (root / component).is_dir():
            raise ModelFileMissing(root / component, "tokenizer folder not found")
    read_json(root / "scheduler" / "scheduler_config.json")
    return ModelFolder(path=root, family="sdxl" if is_xl else "sd")


def weight_files(component: Path) -> list[Path]:
    """Safetensors files of one component, sorted; half-precision variants only when there is no full one.

    Raises: ModelFileMissing if there is none.
    """
    files = sorted(component.glob("*.safetensors"))
    full = [file for file in files if ".fp16" not in file.name]
    if not files:
        raise ModelFileMissing(component / "*.safetensors", "no safetensors weights (pickles are never read)")
    return full or files


def weight_variant(component: Path) -> str | None:
    """Name of the variant to ask diffusers for: "fp16" when only such files exist, else None."""
    return "fp16" if all(".fp16" in file.name for file in weight_files(component)) else None
