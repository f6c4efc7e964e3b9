"""Autoencoder: 16x down, 32 latent channels, on images whose space is folded into channels.

A full-resolution stage costs most of a convolutional autoencoder's time and holds few of its
parameters. Folding `FOLD` x `FOLD` pixels into channels first makes the rest affordable on a CPU
while the network stays diffusers' stock `AutoencoderKL`.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor, nn
from torch.nn import functional as F

FOLD = 4
FOLD_FILE = "fold.json"
LATENT_CHANNELS = 32
DOWNSCALE = 16


def build_autoencoder(widths: tuple[int, ...] = (64, 160, 256), fold: int = FOLD) -> AutoencoderKL:
    """An untrained autoencoder over folded images; `widths` per stage, each stage but the last halves."""
    stages = len(widths)
    return AutoencoderKL(
        in_channels=3 * fold**2,
        out_channels=3 * fold**2,
        down_block_types=("DownEncoderBlock2D",) * stages,
        up_block_types=("UpDecoderBlock2D",) * stages,
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        # One group: normalising small groups of channels over the image takes its overall colour away.
        norm_num_groups=1,
        mid_block_add_attention=False,
        use_quant_conv=False,
        use_post_quant_conv=False,
        sample_size=256 // fold,
    )


class FoldedAutoencoder(nn.Module):
    """Pixels in, pixels out, around a network that works on folded space."""

    def __init__(self, network: AutoencoderKL, fold: int = FOLD) -> None:
        super().__init__()
        self.network = network
        self.fold = fold

    @classmethod
    def load(cls, folder: Path) -> FoldedAutoencoder:
        """Read a `vae/` folder with its `fold.json`; without that file the fold is 1 (plain pixels)."""
        fold_file = folder / FOLD_FILE
        fold = int(json.loads(fold_file.read_text())["space_to_depth"]) if fold_file.exists() else 1
        network: AutoencoderKL = AutoencoderKL.from_pretrained(folder, dtype=torch.float32)
        return cls(network.eval(), fold)

    def posterior(self, images: Tensor) -> DiagonalGaussianDistribution:
        """Distribution of the latents (B, 32, H/16, W/16) of images (B, 3, H, W) in [-1, 1]."""
        folded = F.pixel_unshuffle(images, self.fold)
        return self.network.encode(folded).latent_dist

    def decode(self, latents: Tensor) -> Tensor:
        """Images (B, 3, H, W), about [-1, 1] and not clamped, of unscaled latents."""
        return F.pixel_shuffle(self.network.decode(latents).sample, self.fold)

    def save(self, folder: Path) -> None:
        """Write the network and the fold in the layout that `load` reads."""
        self.network.save_pretrained(folder)
        # diffusers notes where the weights were loaded from: a path of the machine that trained them.
        config_file = folder / "config.json"
        config = json.loads(config_file.read_text())
        config.pop("_name_or_path", None)
        config_file.write_text(json.dumps(config, indent=2) + "\n")
        (folder / FOLD_FILE).write_text(json.dumps({"space_to_depth": self.fold}) + "\n")
