"""The image autoencoder of a model folder behind two calls: images in [-1, 1] to scaled latents and back."""

from typing import Any

import torch
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from shared.sdmodels.folder import downscale_of


class FoldedVae(torch.nn.Module):
    """AutoencoderKL or AutoencoderDC with optional pixel unshuffling around it, and latent scaling applied.

    Latents are what the UNet sees: (raw - shift_factor) * scaling_factor. With space_to_depth n > 1 the
    autoencoder works on images folded to 3 * n * n channels (vae/fold.json), as the starter pack's does.
    AutoencoderDC is deterministic: its posterior has no spread.
    """

    def __init__(self, vae: Any, space_to_depth: int = 1) -> None:
        super().__init__()
        self.vae = vae
        self.space_to_depth = space_to_depth
        config = vae.config
        self.scaling_factor = float(config.scaling_factor)
        self.shift_factor = float(getattr(config, "shift_factor", None) or 0.0)
        self.latent_channels = int(config.latent_channels)
        self.pixels_per_latent = space_to_depth * downscale_of(config)

    def encode(self, images: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Latents [B, C, H/f, W/f] of RGB images [B, 3, H, W] in [-1, 1], f = pixels_per_latent.

        Without *generator* the posterior's mode (deterministic), with it a sample.
        """
        encoded = self._encoded(images)
        posterior = getattr(encoded, "latent_dist", None)
        if posterior is None:
            raw = encoded.latent
        else:
            raw = posterior.mode() if generator is None else posterior.sample(generator)
        latents: torch.Tensor = (raw - self.shift_factor) * self.scaling_factor
        return latents

    def posterior(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of the latents of *images*: see `encode`, which draws from them."""
        encoded = self._encoded(images)
        found = getattr(encoded, "latent_dist", None)
        mean = encoded.latent if found is None else found.mean
        spread = torch.zeros_like(mean) if found is None else found.std
        return (mean - self.shift_factor) * self.scaling_factor, spread * self.scaling_factor

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """RGB images [B, 3, H, W], nominally in [-1, 1] (not clamped), of latents [B, C, h, w]."""
        raw = latents.to(self.vae.dtype) / self.scaling_factor + self.shift_factor
        images = self.vae.decode(raw, return_dict=False)[0]
        return pixel_shuffle(images, self.space_to_depth) if self.space_to_depth > 1 else images

    def _encoded(self, images: torch.Tensor) -> Any:
        return self.vae.encode(self._fold(images.to(self.vae.dtype)))

    def _fold(self, images: torch.Tensor) -> torch.Tensor:
        return pixel_unshuffle(images, self.space_to_depth) if self.space_to_depth > 1 else images
