"""Trains the autoencoder on crops of rendered portraits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from starter.data.latents import encode_images
from starter.data.manifest import Sample, read_manifest, training_part
from starter.data.parts import Part, loss_weights, part_shares, weight_table
from starter.data.pixels import Pixels, load_pixels, to_unit
from starter.models.vae import DOWNSCALE, LATENT_CHANNELS, FoldedAutoencoder, build_autoencoder
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.parallel import rank

RECIPE = Recipe(
    steps=4500, batch=16, lr=4e-3, lr_end=1e-4, weight_decay=1e-4, warmup_steps=50, uses_muon=True
)
CROP_PX = 128
MOST_NOISE = 0.15
"""Largest share of the latents' deviation that is added to them as noise: what costs least to lose gets the
smallest amplitude, and small errors of a generator do not show."""
SIZE_WEIGHT = 1e-4
"""Of the latents' squares, without which their amplitude could grow until the noise is nothing."""
HALF_SIZE_WEIGHT = 0.25
"""Of the loss that latents averaged over 2x2 cells must decode to the picture at half size. It takes
structure out of the high frequencies of the latents, where a generator learns it last (Skorokhodov et al.,
"Improving the diffusability of autoencoders", arXiv 2502.14831)."""
PARTS_WEIGHT = 0.03
"""Of a linear reading of the part map off each cell: latents that say what they show are learnt sooner."""
COARSE_WEIGHT = 3.0
SQUARE_WEIGHT = 6.0
"""Of the squared error, which PSNR measures and which keeps the few large errors of eyes and teeth small."""
_PART_WEIGHTS = weight_table(eyes=10.0, features=5.0, face=1.5, rest=0.8)


@dataclass(frozen=True)
class Crops:
    """A batch of crops.

    Attributes:
        images: (B, 3, 128, 128) in [-1, 1].
        weights: (B, 1, 128, 128), of the reconstruction loss.
        parts: (B, K, 8, 8), share of each part in each latent cell.
    """

    images: Tensor
    weights: Tensor
    parts: Tensor


class CropSampler:
    """Random crops; every second one is centred near the eyes, the hardest part to keep crisp."""

    def __init__(self, samples: Sequence[Sample], pixels: Pixels) -> None:
        self.pixels = pixels
        marks = [
            [sample.landmarks_px[name] for name in ("left_eye", "right_eye", "nose")] for sample in samples
        ]
        self.centres = np.asarray(marks, np.float32).mean(1)

    def batch(self, size: int, rng: np.random.Generator) -> Crops:
        """`size` crops."""
        images, parts = [], []
        last = self.pixels.images.shape[-1] - CROP_PX
        for slot in range(size):
            index = int(rng.integers(len(self.centres)))
            corner = rng.uniform(0, last, 2)
            if slot % 2:
                corner = self.centres[index] - CROP_PX / 2 + rng.normal(0, 20, 2)
            # Even corners keep the half-resolution part map aligned with the image.
            x, y = (2 * int(np.clip(v, 0, last) // 2) for v in corner)
            flip = [-1] if rng.random() < 0.5 else []
            crop = self.pixels.images[index, :, y : y + CROP_PX, x : x + CROP_PX]
            part = self.pixels.parts[index, y // 2 : (y + CROP_PX) // 2, x // 2 : (x + CROP_PX) // 2]
            images.append(crop.flip(flip))
            parts.append(part.flip(flip))
        maps = torch.stack(parts)
        weights = loss_weights(maps, _PART_WEIGHTS, CROP_PX)
        return Crops(to_unit(torch.stack(images)), weights, part_shares(maps, CROP_PX // DOWNSCALE))


def _slopes(images: Tensor) -> tuple[Tensor, Tensor]:
    return images.diff(dim=-1), images.diff(dim=-2)


def _laplacian(images: Tensor) -> Tensor:
    smooth = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return images - smooth


def reconstruction_loss(output: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted L1 on colours, slopes and the Laplacian, and squares of colours; all tensors (B, C, H, W).

    L1 alone is content with the median colour of a plain area for thousands of steps; the squared
    error of 16x16 averages is not.
    """
    weights = weights / weights.mean()
    error = output - target
    loss = (weights * error.abs()).mean() + SQUARE_WEIGHT * (weights * error.square()).mean()
    loss = loss + COARSE_WEIGHT * F.mse_loss(F.avg_pool2d(output, 16), F.avg_pool2d(target, 16))
    for ours, theirs, weight in zip(
        _slopes(output), _slopes(target), (weights[..., :, 1:], weights[..., 1:, :]), strict=True
    ):
        loss = loss + 0.5 * (weight * (ours - theirs).abs()).mean()
    return loss + 0.5 * (weights * (_laplacian(output) - _laplacian(target)).abs()).mean()


class LatentCritic(nn.Module):
    """The autoencoder with a linear part reader, which is thrown away after training."""

    def __init__(self, autoencoder: FoldedAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.read_parts = nn.Conv2d(LATENT_CHANNELS, len(Part), 1)

    def latent_loss(self, latents: Tensor, target: Tensor, parts: Tensor) -> Tensor:
        """What makes latents (B, C, h, w) easy to generate; parts: shares (B, K, h, w) in each cell."""
        logs = self.read_parts(latents).float().log_softmax(1)
        reading = -(parts * logs).sum(1).mean()
        # Every second row suffices, and halves the cost.
        small = F.avg_pool2d(latents[::2], 2)
        error = self.autoencoder.decode(small).float() - F.avg_pool2d(target[::2], 2)
        half_size = error.abs().mean() + SQUARE_WEIGHT * error.square().mean()
        size = latents.float().square().mean()
        return PARTS_WEIGHT * reading + HALF_SIZE_WEIGHT * half_size + SIZE_WEIGHT * size


def fit_scaling(model: FoldedAutoencoder, images: Tensor) -> None:
    """Set the scaling factor that brings the latents of `images` (N, 3, H, W) uint8 to unit deviation."""
    deviation = float(encode_images(model.eval(), images).std())
    model.network.register_to_config(scaling_factor=1.0 / deviation)


def train_autoencoder(samples: Sequence[Sample], folder: Path, recipe: Recipe = RECIPE) -> FoldedAutoencoder:
    """Train on `samples`, resuming in `folder`; returns the averaged weights."""
    torch.manual_seed(recipe.seed)
    model = FoldedAutoencoder(build_autoencoder())
    trainer = Trainer(LatentCritic(model), recipe, folder)
    trainer.resume()
    sampler = CropSampler(samples, load_pixels(samples))

    def loss_fn(module: nn.Module, step: int) -> Tensor:
        assert isinstance(module, LatentCritic)
        rng, noise_rng = rng_of_step(recipe.seed, step)
        crops = sampler.batch(recipe.batch_here, rng)
        share = torch.from_numpy(rng.uniform(0, MOST_NOISE, (recipe.batch_here, 1, 1, 1)).astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            latents = module.autoencoder.encode(crops.images)
            noise = share * latents.detach().std() * torch.randn(latents.shape, generator=noise_rng)
            output = module.autoencoder.decode(latents + noise)
            extra = module.latent_loss(latents, crops.images, crops.parts)
        return reconstruction_loss(output.float(), crops.images, crops.weights) + extra

    trainer.run(loss_fn)
    trainer.load_average()
    fit_scaling(model, sampler.pixels.images[::8])
    return model


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Train on all identities that are not held out and write `runs/vae/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    model = train_autoencoder(training_part(read_manifest(data)), runs / "vae", recipe)
    if rank() == 0:
        model.save(runs / "vae" / "model")
