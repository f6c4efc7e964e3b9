"""Pixel-aligned pairs (render, toon) and their augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from starter.train_stylizer.backgrounds import FloatArray, Image, find_backdrop, random_scene


@dataclass(frozen=True, slots=True)
class Pair:
    """A render and its drawing, RGB uint8 of one size; *name* is the file's."""

    name: str
    render: Image
    drawing: Image


def load_pairs(folder: Path) -> list[Pair]:
    """All pairs FOLDER/render/N.jpg with FOLDER/toon/N.jpg, by name.

    Raises:
        FileNotFoundError: there is none.
    """
    files = sorted((folder / "render").glob("*.jpg"))
    found = [(f, folder / "toon" / f.name) for f in files]
    pairs = [Pair(f.stem, _read(f), _read(t)) for f, t in found if t.is_file()]
    if not pairs:
        raise FileNotFoundError(f"no pairs under {folder}: expected render/N.jpg and toon/N.jpg")
    return pairs


def split(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Pairs to train on, and pairs to judge by: every tenth run of three, by number.

    By number and not by count, so that a pair stays on its side while the set grows; by threes, because two
    views of one character follow each other, and the judge's characters must be unseen.
    """
    judged = [p for p in pairs if int(p.name) // 3 % 10 == 7]
    return [p for p in pairs if int(p.name) // 3 % 10 != 7], judged


class PairSampler:
    """Endless augmented crops; the same seed gives the same crops.

    Both pictures: random scale, place and mirroring, and often another background. The render alone: light,
    colour cast, blur, noise and JPEG, so that the drawing does not copy what a camera adds.
    """

    def __init__(self, pairs: Sequence[Pair], *, crop_px: int, seed: int) -> None:
        self._pairs = list(pairs)
        self._backdrops = [find_backdrop(p.render, p.drawing) for p in self._pairs]
        self._crop_px = crop_px
        self._rng = np.random.default_rng(seed)

    def reseed(self, seed: int) -> None:
        """Make what follows a function of *seed* alone."""
        self._rng = np.random.default_rng(seed)

    def batch(self, size: int) -> tuple[Image, Image]:
        """(size, crop, crop, 3) renders and drawings, uint8."""
        crops = [self._crop(int(i)) for i in self._rng.integers(len(self._pairs), size=size)]
        return np.stack([c[0] for c in crops]), np.stack([c[1] for c in crops])

    def _crop(self, index: int) -> tuple[Image, Image]:
        rng, pair, backdrop = self._rng, self._pairs[index], self._backdrops[index]
        matrix, flags = self._placement(*pair.render.shape[:2])

        def cut(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
            size = (self._crop_px, self._crop_px)
            return np.asarray(
                cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
            )

        render, drawing = cut(pair.render), cut(pair.drawing)
        if rng.random() < 0.4:
            seen, drawn = random_scene(rng, self._crop_px, self._crop_px)
            render = _laid_over(seen, render, cut(backdrop.in_render))
            drawing = _laid_over(drawn, drawing, cut(backdrop.in_drawing))
        return camera(rng, render), drawing

    def _placement(self, height: int, width: int) -> tuple[npt.NDArray[np.float64], int]:
        """A random scale, place and mirroring as a matrix, and how to resample for it."""
        rng = self._rng
        scale = float(np.exp(rng.uniform(np.log(0.65), np.log(1.5))))
        side = min(max(self._crop_px / scale, 64.0), height, width)
        x, y = float(rng.uniform(0, width - side)), float(rng.uniform(0, height - side))
        ratio = self._crop_px / side
        matrix = np.array([[ratio, 0, -x * ratio], [0, ratio, -y * ratio]])
        if rng.random() < 0.5:
            matrix[0] = -matrix[0] + (0, 0, self._crop_px - 1)
        return matrix, cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC


def camera(rng: np.random.Generator, image: Image) -> Image:
    """What light and a camera do to a picture, at random strength."""
    out: npt.NDArray[np.floating] = image.astype(np.float32) / 255.0
    out = out ** float(np.exp(rng.normal(0, 0.1)))
    out = out * np.exp(rng.normal(0, 0.03, 3)) + rng.normal(0, 0.01)
    if rng.random() < 0.2:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.4))), np.float32)
    if rng.random() < 0.25:
        out = out + rng.normal(0, rng.uniform(0.005, 0.03), out.shape)
    pixels = np.asarray(np.clip(out * 255 + 0.5, 0, 255), np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(45, 95))
        coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return pixels


def _laid_over(scene: Image, picture: Image, weight: FloatArray) -> Image:
    share = np.clip(weight, 0, 1)[..., None]
    mixed = picture + share * (scene.astype(np.float32) - picture)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def _read(file: Path) -> Image:
    bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{file} cannot be read")
    return np.ascontiguousarray(bgr[..., ::-1])
