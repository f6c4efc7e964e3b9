"""Cuts the training crops out of a photo, and says how much each pixel of a crop is worth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.lora_training.domain.example import TrainingExample
from services.lora_training.domain.framing import (
    Framing,
    Jitter,
    centre_to_frame,
    face_to_frame,
    face_weights,
)
from services.lora_training.domain.recipe import Recipe


@dataclass(frozen=True)
class Crop:
    """A square crop in the framing of the model.

    Attributes:
        image: RGB uint8 (S, S, 3); outside the photo its border is repeated.
        weights: float32 (S, S) in [0, 1]: 0 outside the photo, so that invented borders are not learned.
    """

    image: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float32]


def jitters(recipe: Recipe, example_index: int) -> list[Jitter]:
    """Return `variants_per_photo` changes of the crop: the first plain, with flips every second mirrored."""
    rng = np.random.default_rng([recipe.seed, example_index])
    changes = []
    for number in range(recipe.variants_per_photo):
        is_mirrored = recipe.flips and number % 2 == 1
        if number < 2:
            changes.append(Jitter(is_mirrored=is_mirrored))
            continue
        scale, (shift_x, shift_y), degrees = (
            rng.uniform(0.95, 1.05),
            rng.uniform(-0.02, 0.02, 2),
            rng.uniform(-3, 3),
        )
        changes.append(Jitter(float(scale), float(shift_x), float(shift_y), float(degrees), is_mirrored))
    return changes


def cut(example: TrainingExample, side_px: int, framing: Framing, jitter: Jitter, background: float) -> Crop:
    """Cut one crop; `background` is the weight of a pixel inside the photo and outside the face."""
    height, width = example.image.shape[:2]
    points = example.landmarks5_px
    if points is None:
        matrix = centre_to_frame(width, height, side_px, jitter)
    else:
        matrix = face_to_frame(points, side_px, framing, jitter)
    image = _shrink_smoothly(example.image, matrix, side_px)
    everywhere = np.ones((height, width), np.float32)
    inside = np.asarray(cv2.warpAffine(everywhere, matrix, (side_px, side_px), flags=cv2.INTER_NEAREST))
    if points is None:
        return Crop(image, inside.astype(np.float32))
    face = face_weights(points, matrix, side_px)
    return Crop(image, (inside * (background + (1 - background) * face)).astype(np.float32))


def _shrink_smoothly(
    image: npt.NDArray[np.uint8], matrix: npt.NDArray[np.float64], side_px: int
) -> npt.NDArray[np.uint8]:
    """Warp by `matrix`; when that shrinks a lot, blur first, as warpAffine alone would alias."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.75:
        blurred = cv2.GaussianBlur(image, (0, 0), 0.45 / scale, borderType=cv2.BORDER_REPLICATE)
        image = np.asarray(blurred, np.uint8)
    size = (side_px, side_px)
    warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)
