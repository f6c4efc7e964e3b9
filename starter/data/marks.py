"""Batches of face crops with the marks of their skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from starter.data import photographic
from starter.data.cropping import Image, Jitter, Matrix, box_crop, cut, cut_parts, jittered, move, scale_of
from starter.data.manifest import Sample
from starter.data.portraits import read_parts, read_rgb
from starter.data.spots import Spots, is_shown, with_hairs, with_more_moles
from starter.models.marks import CELL_PX, KINDS

CROP_PX = 192
BOX_SCALE = 1.4
"""At 256 px this is the picture's own resolution: a freckle is no larger than a pixel or two."""
_SIGMA = 0.7  # of a target bump, in cells; freckles stand close
_JITTER = Jitter(shift=0.05, turn=0.2, zoom=0.12, stretch=0.04)


@dataclass(frozen=True)
class MarkBatch:
    """Crops with targets on the cells of the heat map, h = w = CROP_PX / 2.

    Attributes:
        images: float32 (B, 3, CROP_PX, CROP_PX) in [0, 1].
        heat: float32 (B, kinds, h, w), 1 in the cell of a mark, falling off around it.
        offset, log_radius: float32 (B, 2, h, w), (B, 1, h, w), where `is_mark` (B, 1, h, w) is 1.
        counts: float32 (B, 1, h, w), 0 around marks that are not shown.
        spots: the marks themselves, for each crop.
    """

    images: Tensor
    heat: Tensor
    offset: Tensor
    log_radius: Tensor
    is_mark: Tensor
    counts: Tensor
    spots: list[Spots]


def face_matrix(sample: Sample) -> Matrix:
    """The face crop: a square of 1.4 times the mean side of dlib's box."""
    return box_crop(sample.box_px, CROP_PX, BOX_SCALE)


def exact_batch(samples: Sequence[Sample]) -> MarkBatch:
    """Undisturbed face crops of `samples`."""
    pairs = []
    for sample in samples:
        matrix, picture = face_matrix(sample), read_rgb(sample)
        pairs.append((cut(picture, matrix, CROP_PX), _spots(sample, picture, matrix)))
    return _stack(pairs)


def training_batch(samples: Sequence[Sample], size: int, rng: np.random.Generator) -> MarkBatch:
    """`size` random crops with more marks painted on, hairs drawn over them, and the look of a camera."""
    pairs = []
    for index in rng.choice(len(samples), size):
        sample = samples[int(index)]
        matrix, _ = jittered(face_matrix(sample), CROP_PX, _JITTER, rng)
        picture = read_rgb(sample)
        image, spots = cut(picture, matrix, CROP_PX), _spots(sample, picture, matrix)
        if rng.random() < 0.5:
            parts = cut_parts(read_parts(sample), matrix, CROP_PX)
            image, spots = with_more_moles(image, spots, parts, rng)
        if rng.random() < 0.3:
            image = with_hairs(image, rng)
        if rng.random() < 0.8:
            image = photographic.look_of_camera(image, rng, spoiled=0.4)
        pairs.append((image, spots))
    return _stack(pairs)


def _spots(sample: Sample, picture: Image, matrix: Matrix) -> Spots:
    """The marks of a picture that nothing hides and that lie in the crop."""
    marks = [mark for mark in sample.marks if mark.is_visible]
    places = move(np.array([mark.px for mark in marks], np.float32).reshape(-1, 2), matrix)
    inside = ((places > 1) & (places < CROP_PX - 1)).all(1)
    kinds = np.array([KINDS.index(mark.kind) for mark in marks], np.int64)
    radii = np.array([mark.radius_px for mark in marks], np.float32)
    light = np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0], np.float32)
    shown = np.array([is_shown(light, mark.px, mark.radius_px) for mark in marks], np.bool_)
    radii = (radii * scale_of(matrix)).astype(np.float32)
    return Spots(kinds[inside], places[inside], radii[inside], shown[inside])


def _stack(pairs: Sequence[tuple[Image, Spots]]) -> MarkBatch:
    maps = zip(*(_targets(spots) for _, spots in pairs), strict=True)
    heat, offset, log_radius, is_mark, counts = (torch.from_numpy(np.stack(column)) for column in maps)
    images = torch.from_numpy(np.stack([image for image, _ in pairs]))
    return MarkBatch(
        images.permute(0, 3, 1, 2).float().div_(255),
        heat,
        offset,
        log_radius,
        is_mark,
        counts,
        [spots for _, spots in pairs],
    )


def _targets(spots: Spots) -> tuple[NDArray[np.float32], ...]:
    """Heat, offset, log radius, is_mark and counts of one crop, as in `MarkBatch`."""
    cells = CROP_PX // CELL_PX
    heat, offset = np.zeros((len(KINDS), cells, cells), np.float32), np.zeros((2, cells, cells), np.float32)
    log_radius, is_mark, counts = (np.full((1, cells, cells), v, np.float32) for v in (0, 0, 1))
    ys, xs = np.mgrid[0:cells, 0:cells].astype(np.float32) + 0.5
    places = spots.places / CELL_PX
    for column, row in places[~spots.shown].astype(int):
        counts[0, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = 0
    for kind, place, radius in zip(
        spots.kinds[spots.shown], places[spots.shown], spots.radii[spots.shown], strict=True
    ):
        column, row = (int(v) for v in np.clip(place, 0, cells - 1))
        window = np.s_[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5]
        bump = np.exp(-((xs[window] - place[0]) ** 2 + (ys[window] - place[1]) ** 2) / (2 * _SIGMA**2))
        heat[kind][window] = np.maximum(heat[kind][window], 0.99 * bump)
        heat[kind, row, column] = is_mark[0, row, column] = counts[0, row, column] = 1
        offset[:, row, column] = place - (column, row)
        log_radius[0, row, column] = np.log(max(float(radius), 0.3))
    return heat, offset, log_radius, is_mark, counts
