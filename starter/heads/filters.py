"""Finishes that are easier on pixels than in a shader.

Each takes and gives RGB uint8 (H, W, 3) of the same size. `parts` is the part map of the picture.
All are deterministic; lengths scale with the picture's height.
"""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

from starter.heads.arrays import Floats, Image
from starter.heads.parts import Part

Filter = Callable[[Image, Image], Image]
_DESIGNED_PX = 256


def sepia(rgb: Image, parts: Image) -> Image:
    """An old photograph: brown tones, soft, faded towards the border, with grain."""
    del parts
    size = rgb.shape[0]
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    grey = 0.65 * grey + 0.35 * _blur(grey, 2.0 * size / _DESIGNED_PX)
    grey = grey * grey * (3 - 2 * grey) * 0.5 + grey * 0.5
    grey = 0.08 + 0.88 * grey + 0.03 * _noise(size, 1)
    distance = _from_centre(size)
    grey = grey * (1 - 0.35 * np.clip(distance - 0.35, 0, 1) / 0.4)
    # The grain reaches below black, where a fractional power is no number.
    toned = np.maximum(grey, 0)[..., None] ** np.array([0.82, 1.02, 1.34], np.float32)
    return _bytes(
        toned * np.array([0.98, 0.93, 0.84], np.float32) + np.array([0.02, 0.015, 0.01], np.float32)
    )


def oil(rgb: Image, parts: Image) -> Image:
    """Oil paint: Kuwahara's filter (1976), finer on eyes and mouth, with the relief of a canvas."""
    scale = rgb.shape[0] / _DESIGNED_PX
    image = rgb.astype(np.float32)
    fine, coarse = _kuwahara(image, max(1, round(2 * scale))), _kuwahara(image, max(2, round(5 * scale)))
    is_face = np.isin(parts, _FINE_PARTS).astype(np.float32)
    wider = np.asarray(cv2.dilate(is_face, np.ones((5, 5))), np.float32)
    share = _blur(wider, 1.5 * scale)[..., None]
    painted = fine * share + coarse * (1 - share)
    grey = painted.mean(axis=2) / 255
    relief = _blur(_noise(rgb.shape[0], 2), 1.2 * scale) * 0.22 + grey
    emboss = relief - np.roll(np.roll(relief, 1, axis=0), 1, axis=1)
    hsv = cv2.cvtColor(painted.clip(0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.2, 0, 255)
    vivid = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32) / 255
    return _bytes(vivid + 0.30 * np.clip(emboss, -0.12, 0.12)[..., None])


def watercolor(rgb: Image, parts: Image) -> Image:
    """Let the washes run: smooth inside, darker where they end."""
    scale = rgb.shape[0] / _DESIGNED_PX
    washed = rgb
    for _ in range(2):
        washed = np.asarray(cv2.bilateralFilter(washed, 5, 38, 3 * scale + 1), np.uint8)
    image = washed.astype(np.float32) / 255
    pooled = _blur(image, 2.6 * scale)
    edge = np.clip(pooled - image, -0.2, 0.2)
    grain = 1 + 0.05 * _blur(_noise(rgb.shape[0], 3), 0.8 * scale)[..., None]
    del parts
    return _bytes((image - 0.55 * edge) * grain)


def neon(rgb: Image, parts: Image) -> Image:
    """Bright colours bleed into the dark around them."""
    del parts
    scale = rgb.shape[0] / _DESIGNED_PX
    image = rgb.astype(np.float32) / 255
    bright = np.clip(image - 0.42, 0, 1) * 1.3
    glow = 0.8 * _blur(bright, 2.2 * scale) + 0.8 * _blur(bright, 7 * scale)
    return _bytes(1 - (1 - image.clip(0, 1)) * (1 - glow.clip(0, 1)))


def pixel(rgb: Image, parts: Image) -> Image:
    """Sixty-four large pixels a side, six shades a channel, a dark outline around the figure."""
    size = rgb.shape[0]
    cells = min(64, size)
    small = cv2.resize(rgb, (cells, cells), interpolation=cv2.INTER_AREA).astype(np.float32)
    mask = cv2.resize((parts > 0).astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA) > 0.5
    hsv = cv2.cvtColor(small.astype(np.uint8), cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.25, 0, 255)
    small = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    bayer = np.tile(np.array([[-0.25, 0.25], [0.5, 0.0]]), (cells // 2 + 1, cells // 2 + 1))[:cells, :cells]
    levels = np.floor(small / 255 * 6 + 0.5 + 0.16 * bayer[..., None]) / 6
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    levels[mask & ~inner] *= 0.30
    return np.asarray(cv2.resize(_bytes(levels), (size, size), interpolation=cv2.INTER_NEAREST), np.uint8)


def lowpoly(rgb: Image, parts: Image) -> Image:
    """Flat triangles, small where the face has detail (Delaunay over points that prefer edges)."""
    size = rgb.shape[0]
    smooth = _blur(rgb.astype(np.float32), 1.5 * size / _DESIGNED_PX)
    points = _facet_points(smooth, parts)
    mesh = cv2.Subdiv2D((0, 0, size, size))
    mesh.insert(points.tolist())
    triangles = np.asarray(mesh.getTriangleList()).reshape(-1, 3, 2)
    inside = ((triangles >= 0) & (triangles <= size - 1)).all(axis=(1, 2))
    triangles = triangles[inside]
    centres = triangles.mean(axis=1).round().astype(int)
    colors = smooth[centres[:, 1], centres[:, 0]]
    canvas = smooth.clip(0, 255).astype(np.uint8)
    for corners, color in zip((triangles * 16).astype(np.int32), colors, strict=True):
        cv2.fillConvexPoly(canvas, corners, tuple(float(c) for c in color), cv2.LINE_8, 4)
    return canvas


def popart(rgb: Image, parts: Image) -> Image:
    """The printing plates do not quite meet: the dark one is shifted against the colours."""
    del parts
    shift = max(1, round(1.5 * rgb.shape[0] / _DESIGNED_PX))
    is_ink = rgb.max(axis=2) < 70
    colors = cv2.medianBlur(cv2.inpaint(rgb, is_ink.astype(np.uint8), 2, cv2.INPAINT_TELEA), 5)
    moved = np.roll(np.roll(is_ink, shift, axis=0), shift, axis=1).astype(np.float32)
    ink = _blur(moved, 0.6)[..., None]
    return _bytes(colors / 255 * (1 - ink) + ink * np.array([0.08, 0.05, 0.14], np.float32))


_EYES = (Part.BROWS, Part.SCLERA, Part.IRIS, Part.LASHES, Part.GLASSES)
_MOUTH = (Part.LIPS, Part.TEETH, Part.INSIDE_MOUTH)
_FINE_PARTS = (*_EYES, *_MOUTH)


def _facet_points(smooth: Floats, parts: Image) -> Floats:
    """Points for the corners of facets: many on eyes and mouth, some on edges, few elsewhere."""
    size = smooth.shape[0]
    rng = np.random.default_rng(5)
    grey = smooth.mean(axis=2)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    is_fine = np.isin(parts, _FINE_PARTS)
    weight = 0.1 + np.clip(edges / 160, 0, 1) * 2.0 + 3.0 * is_fine + 0.3 * (parts > 0)
    chosen = rng.choice(size * size, size * 10, replace=False, p=(weight / weight.sum()).ravel())
    y, x = np.divmod(chosen, size)
    # One point a cell, so that no two corners all but coincide.
    cell = size / np.where(is_fine[y, x], 96, np.where(edges[y, x] > 90, 34, 15))
    keys = np.stack([x / cell, y / cell, cell * 100], axis=1).astype(int)
    _, first = np.unique(keys, axis=0, return_index=True)
    border = np.linspace(0, size - 1, 9)
    frame = [(a, b) for a in border for b in (0, size - 1)] + [
        (b, a) for a in border[1:-1] for b in (0, size - 1)
    ]
    return np.concatenate([np.stack([x, y], axis=1)[np.sort(first)], frame]).astype(np.float32)


def _kuwahara(image: Floats, radius: int) -> Floats:
    """The mean of that quarter of the neighbourhood which varies least."""
    side = (radius + 1, radius + 1)
    squares = (image * image).sum(axis=2)
    best_mean, best_spread = np.empty_like(image), np.full(image.shape[:2], np.inf, np.float32)
    for anchor in ((0, 0), (radius, 0), (0, radius), (radius, radius)):
        mean = np.asarray(cv2.boxFilter(image, -1, side, anchor=anchor))
        spread = np.asarray(cv2.boxFilter(squares, -1, side, anchor=anchor)) - (mean * mean).sum(axis=2)
        better = spread < best_spread
        best_mean[better], best_spread[better] = mean[better], spread[better]
    return best_mean


def _blur(image: Floats, sigma_px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), max(0.3, sigma_px)))


@cache
def _noise(size: int, seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((size, size)).astype(np.float32)


@cache
def _from_centre(size: int) -> Floats:
    """Distance from the centre in picture heights."""
    place = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    return np.hypot(place[:, None], place[None])


def _bytes(unit: Floats) -> Image:
    return np.asarray(np.clip(unit, 0, 1) * 255 + 0.5, np.uint8)
