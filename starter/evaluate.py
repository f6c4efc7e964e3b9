"""Measures a packed model folder on people that it has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from starter.data.captions import caption
from starter.data.manifest import Sample, by_identity, held_out_part, read_manifest
from starter.data.parts import loss_weights, weight_table
from starter.data.pixels import load_pixels, to_bytes, to_unit
from starter.heads.faces import FaceReader
from starter.models.generator import Generator
from starter.models.vae import FoldedAutoencoder
from starter.sampling import Guidance, draw

_EYES_ONLY = weight_table(eyes=1.0, features=0.0, face=0.0, rest=0.0)
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Figures:
    """What is measured; distances are Euclidean between L2-normalised dlib embeddings.

    Attributes:
        psnr_db, eyes_psnr_db: autoencoder on held-out portraits, whole image and eye pixels.
        detected: share of generated portraits in which dlib's HOG detector finds a face.
        own_distance, other_distance: generated portrait to its person's real renders, and to other people's.
        auc: chance that a portrait is closer to its own person than to another; .5 is no likeness at all.
        rank_1: share of portraits whose nearest person, of all held out, is the right one.
    """

    images: int
    people: int
    psnr_db: float
    eyes_psnr_db: float
    detected: float
    own_distance: float
    other_distance: float
    auc: float
    rank_1: float


def psnr_db(output: Tensor, target: Tensor, weights: Tensor) -> float:
    """Peak signal-to-noise ratio of uint8 images (N, 3, H, W) where `weights` (N, 1, H, W) count."""
    squared = (output.float() - target.float()).square() * weights
    mean = float(squared.sum() / (3 * weights.sum()))
    return float(10 * np.log10(255**2 / mean))


@torch.no_grad()
def reconstruction(vae: FoldedAutoencoder, samples: Sequence[Sample]) -> tuple[float, float]:
    """PSNR of the autoencoder on whole images and on eyes."""
    pixels = load_pixels(samples)
    outputs = [to_bytes(vae.decode(vae.encode(to_unit(images)))) for images in pixels.images.split(16)]
    output = torch.cat(outputs)
    eyes = loss_weights(pixels.parts, _EYES_ONLY, output.shape[-1], grow=1)
    return psnr_db(output, pixels.images, torch.ones_like(eyes)), psnr_db(output, pixels.images, eyes)


@dataclass(frozen=True)
class Portraits:
    """Generated portraits: the prompt's and the person's sample, and the images uint8 (N, 3, H, W)."""

    prompts: list[Sample]
    people: list[int]
    images: Tensor


def generate(
    model: Generator, vae: FoldedAutoencoder, samples: Sequence[Sample], per_person: int, guidance: Guidance
) -> Portraits:
    """Portraits of each held-out person from the mean of its renders, prompted with their captions."""
    people, prompts, identities = [], [], []
    for person, positions in by_identity(samples).items():
        for position in positions[:per_person]:
            others = [samples[i].embedding for i in positions if i != position]
            mean = np.mean(others or [samples[position].embedding], axis=0)
            identities.append(mean / np.linalg.norm(mean))
            people.append(person)
            prompts.append(samples[position])
    conditions = torch.from_numpy(np.stack(identities).astype(np.float32))
    images = [
        draw(model, vae, [caption(s) for s in prompts[i : i + 16]], conditions[i : i + 16], guidance, seed=i)
        for i in range(0, len(prompts), 16)
    ]
    return Portraits(prompts, people, torch.cat(images))


def likeness(portraits: Portraits, samples: Sequence[Sample]) -> dict[str, float]:
    """Detection rate, distances, AUC and rank 1 of generated portraits."""
    reader, found, people = FaceReader(), [], []
    for image, person in zip(portraits.images, portraits.people, strict=True):
        faces = reader.read(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
        if faces:
            found.append(faces[0].embedding / np.linalg.norm(faces[0].embedding))
            people.append(person)
    if not found:
        return {"detected": 0.0, "own_distance": 2.0, "other_distance": 2.0, "auc": 0.5, "rank_1": 0.0}
    known = {
        person: np.stack([samples[i].embedding for i in at]) for person, at in by_identity(samples).items()
    }
    names = list(known)
    distances = np.stack([[np.linalg.norm(known[n] - f, axis=1).mean() for n in names] for f in found])
    is_own = np.array([[name == person for name in names] for person in people])
    own, other = distances[is_own], distances[~is_own].reshape(len(found), -1)
    return {
        "detected": len(found) / len(portraits.people),
        "own_distance": float(own.mean()),
        "other_distance": float(other.mean()),
        "auc": float((own[:, None] < other).mean()),
        "rank_1": float((own < other.min(1)).mean()),
    }


def contact_sheet(portraits: Portraits, columns: int = 10) -> Image.Image:
    """Renders of the prompts, each above the portrait generated for it."""
    count = min(3 * columns, len(portraits.prompts))
    chosen = np.linspace(0, len(portraits.prompts) - 1, count).astype(int)
    truth = load_pixels([portraits.prompts[i] for i in chosen]).images
    rows = []
    for start in range(0, count - columns + 1, columns):
        for images in (truth[start : start + columns], portraits.images[chosen[start : start + columns]]):
            rows.append(torch.cat(list(images), 2))
    return Image.fromarray(torch.cat(rows, 1).permute(1, 2, 0).numpy())


def evaluate(
    data: Path, weights: Path, per_person: int = 2, guidance: Guidance | None = None
) -> tuple[Figures, Image.Image]:
    """All figures and a contact sheet of the packed folder `weights`."""
    samples = held_out_part(read_manifest(data))
    vae, model = FoldedAutoencoder.load(weights / "vae"), Generator.load(weights)
    whole, eyes = reconstruction(vae, samples)
    portraits = generate(model, vae, samples, per_person, guidance or Guidance())
    figures = Figures(
        images=len(portraits.people),
        people=len(set(portraits.people)),
        psnr_db=whole,
        eyes_psnr_db=eyes,
        **likeness(portraits, samples),
    )
    return figures, contact_sheet(portraits)


def as_json(figures: Figures) -> dict[str, float]:
    """The figures, rounded to three digits after the point."""
    return {name: round(value, 3) for name, value in asdict(figures).items()}
