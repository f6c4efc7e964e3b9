"""Makes renders less alike: light, lens and camera of photographs, other backgrounds, things before the face.

The nets are trained on renders alone and must also work on photographs: what they may not rely on is
varied here.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from starter.data import degrade
from starter.data.parts import Part
from starter.train_stylizer.backgrounds import random_scene

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_LOSSES = (("blur", 0.2, 0.3), ("resolution", 0.2, 0.3), ("noise", 0.3, 0.3), ("compression", 0.3, 0.6))
"""What a camera loses: name, share of the pictures, greatest strength."""


def look_of_camera(image: Image, rng: np.random.Generator, spoiled: float = 1.0) -> Image:
    """Another light, colour balance and camera; `spoiled` scales what is lost to blur, noise and JPEG."""
    out: NDArray[np.floating] = image.astype(np.float32) / 255
    if rng.random() < 0.7:
        out = _lit_from_a_side(out, rng)
    out = out ** np.exp(rng.normal(0, 0.22)) * rng.normal(1, 0.07, 3) * np.exp(rng.normal(0, 0.12))
    grey = out @ np.array([0.299, 0.587, 0.114], np.float32)
    colour = 0.0 if rng.random() < 0.08 else float(np.clip(rng.normal(1, 0.25), 0, 1.6))
    out = grey[..., None] + colour * (out - grey[..., None])
    seen = np.asarray(np.clip(out * 255 + 0.5, 0, 255), np.uint8)
    for name, share, most in _LOSSES:
        if rng.random() < share:
            seen = degrade.DEGRADATIONS[name](seen, float(rng.uniform(0, most * spoiled)), rng)
    return seen


def _lit_from_a_side(image: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.floating]:
    """A slow slope of brightness across the picture, of one colour."""
    height, width = image.shape[:2]
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.45)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    slope = 1 + depth * np.tanh(1.2 * (x * np.cos(angle) + y * np.sin(angle)))
    return np.asarray(image * slope[..., None] ** rng.uniform(0.7, 1.3, 3).astype(np.float32), np.float32)


def swap_background(image: Image, parts: Image, rng: np.random.Generator) -> Image:
    """The same head before another scene; `parts` (H, W) has the size of the picture."""
    scene, _ = random_scene(rng, *image.shape[:2])
    if rng.random() < 0.5:
        fine = rng.normal(0, 1, (image.shape[0] // 2, image.shape[1] // 2, 3)).astype(np.float32)
        grain = cv2.resize(cv2.GaussianBlur(fine, (0, 0), rng.uniform(0.5, 4)), image.shape[1::-1])
        scene = np.asarray(np.clip(scene + grain * rng.uniform(10, 120), 0, 255), np.uint8)
    wall = (parts == Part.BACKGROUND).astype(np.float32)
    share = cv2.GaussianBlur(wall, (0, 0), 0.7)[..., None]
    return np.asarray(image + share * (scene.astype(np.float32) - image) + 0.5, np.uint8)


def put_before(image: Image, rng: np.random.Generator) -> tuple[Image, Mask]:
    """One to three things before the head; returns where they are (H, W)."""
    size = image.shape[0]
    cover = np.zeros(image.shape[:2], np.uint8)
    for _ in range(rng.integers(1, 4)):
        centre = tuple(int(v) for v in rng.normal(size / 2, size / 3.5, 2))
        if rng.random() < 0.5:
            axes = tuple(int(v) for v in size * rng.uniform(0.03, 0.16, 2))
            cv2.ellipse(cover, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
        else:
            end = tuple(int(v) for v in rng.normal(size / 2, size / 2, 2))
            cv2.line(cover, centre, end, 1, int(size * rng.uniform(0.015, 0.12)))
    things, _ = random_scene(rng, *image.shape[:2])
    share = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 0.7)[..., None]
    return np.asarray(image + share * (things.astype(np.float32) - image) + 0.5, np.uint8), cover > 0
