"""Wrinkles and pores of a photo on other skin: the embedded `SkinTexture`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from services.fusion.adapters.opencv_blend import from_lab, to_lab
from services.fusion.adapters.plate_field import upsampled
from services.fusion.adapters.texture_mask import Maps, skin_weight, strike_out
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import Template
from services.fusion.domain.geometry import face_frame
from services.fusion.domain.ports import Textured
from services.fusion.domain.structure import DenseLandmarks
from services.fusion.domain.thin_plate import ThinPlate

MOST_TEMPLATES = 3
_FINE, _COARSE = 0.01, 0.06
"""Widths (Gaussian sigma, in eye distances) between which lie pores and wrinkles."""
_MARGIN = 0.1
_SOFTNESS = 3e-3
_CORE = 0.8
"""What is under this many deviations of the skin's own grain is taken for grain of the camera."""
_MOST = 0.12
"""Largest change of lightness, as a share of it: beyond lie edges, not wrinkles."""
_EDGE = 0.06
"""Coarse change of lightness over a wrinkle's width, as a share, that speaks of light and shade."""
_LEAST = 0.05


class OpenCvTexture:
    """Adds the band of lightness between pores and wrinkles, as far as the candidate lacks it.

    The band is warped by the dense landmarks, taken as a share of the lightness around, so that it fits
    another light, and freed of the edges of shadows. A wrinkle must recur like a mark: of several photos the
    median is taken. What is left of their grain is cored away (Simoncelli and Adelson, "Noise removal via
    Bayesian wavelet coring", 1996).
    """

    def add(self, image: Image, face: Face, templates: Sequence[Template], *, strength: float) -> Textured:
        """See `SkinTexture.add`."""
        dense = face.dense
        assert dense is not None
        x0, y0, x1, y1 = box = _box(dense, image)
        crop = image[y0:y1, x0:x1]
        if strength <= 0 or not crop.size:
            return Textured(image.copy(), 0.0)
        unit = face_frame(face.landmarks5).span_px
        templates = templates[:MOST_TEMPLATES]
        own_skin = skin_weight(face, _still(box), unit)
        lent = [
            _lent(template, maps, unit, own_skin)
            for template, maps in zip(templates, _maps(dense, templates, box, unit), strict=True)
        ]
        lab = to_lab(crop)
        own = _band(lab[..., 0], unit, own_skin)
        added = strength * own_skin * _missing(_agreed(lent), own, own_skin) * lab[..., 0]
        lab[..., 0] += added
        changed = np.abs(added) > _LEAST
        out = image.copy()
        out[y0:y1, x0:x1][changed] = from_lab(lab)[changed]
        contrast = float(np.sqrt((added[changed] ** 2).mean())) if changed.any() else 0.0
        return Textured(out, contrast)


def _lent(template: Template, maps: Maps, unit: float, own_skin: FloatArray) -> FloatArray:
    """(H, W): what one photo would add, as a share of the lightness; 0 where it shows no skin, or a mark."""
    scale = unit / face_frame(template.face.landmarks5).span_px
    weight = skin_weight(template.face, maps, unit)
    strike_out(weight, template.face.marks or (), maps, scale)
    weight = np.minimum(weight, own_skin)
    return _band(_seen(template.image, maps, scale), unit, weight) * weight


def _agreed(lent: Sequence[FloatArray]) -> FloatArray:
    """What photos agree on: the median of three, the common part of two, or all that there is of one."""
    if len(lent) == 1:
        return lent[0]
    a, b = lent[:2]
    c = lent[2] if len(lent) > 2 else np.zeros_like(a)
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _box(dense: DenseLandmarks, image: Image) -> tuple[int, int, int, int]:
    """The landmarks' box with a margin, in the picture; max exclusive."""
    low, high = dense.points.min(0), dense.points.max(0)
    margin = _MARGIN * float((high - low).max())
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(low - margin), 0, (width, height)).astype(int)
    x1, y1 = np.clip(np.ceil(high + margin), (x0, y0), (width, height)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _maps(
    dense: DenseLandmarks, templates: Sequence[Template], box: tuple[int, int, int, int], unit: float
) -> list[Maps]:
    """Where each pixel of the box lies in each template, for cv2.remap: one plate for all of them."""
    x0, y0, x1, y1 = box
    # Pixel k of a picture covers k to k + 1; OpenCV counts from its middle.
    control = (dense.points.astype(np.float64) - (x0 + 0.5, y0 + 0.5)) / unit
    targets = [t.face.dense.points.astype(np.float64) - 0.5 for t in templates if t.face.dense is not None]
    plate = ThinPlate.fit(control, np.hstack(targets), _SOFTNESS)
    step = max(4, round(unit / 5))
    columns, rows = (x1 - x0) // step + 2, (y1 - y0) // step + 2
    knots = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2) * (step / unit)
    coarse = plate(knots.astype(np.float64)).astype(np.float32).reshape(rows, columns, -1)
    maps = []
    for k in range(len(targets)):
        field = upsampled(np.ascontiguousarray(coarse[..., 2 * k : 2 * k + 2]), step, (y1 - y0, x1 - x0))
        maps.append((np.ascontiguousarray(field[..., 0]), np.ascontiguousarray(field[..., 1])))
    return maps


def _still(box: tuple[int, int, int, int]) -> Maps:
    x0, y0, x1, y1 = box
    x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    return x, y


def _seen(template: Image, maps: Maps, scale: float) -> FloatArray:
    """(H, W) lightness of the template where the maps point; averaged first where it is much larger."""
    x, y = maps
    factor = int(1 / scale)
    if factor >= 2:
        size = (max(1, template.shape[1] // factor), max(1, template.shape[0] // factor))
        across, down = size[0] / template.shape[1], size[1] / template.shape[0]
        template = np.asarray(cv2.resize(template, size, interpolation=cv2.INTER_AREA), np.uint8)
        x, y = (x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5
    left, top = max(int(x.min()) - 2, 0), max(int(y.min()) - 2, 0)
    part = template[top : max(int(y.max()) + 4, 0), left : max(int(x.max()) + 4, 0)]
    if not part.size:
        return np.full(x.shape, 50.0, np.float32)
    light = np.ascontiguousarray(to_lab(part)[..., 0])
    seen = cv2.remap(light, x - left, y - top, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


def _band(light: FloatArray, unit: float, weight: FloatArray) -> FloatArray:
    """(H, W): lightness between the two widths as a share of that around, where it is no edge of a shadow."""
    fine = cv2.GaussianBlur(light, (0, 0), max(_FINE * unit, 0.3))
    # Only skin counts as surroundings: a dark eye must not make its rim look bright.
    around = cv2.GaussianBlur(light * weight, (0, 0), _COARSE * unit)
    total = cv2.GaussianBlur(weight, (0, 0), _COARSE * unit)
    coarse = np.where(total > 0.05, around / np.maximum(total, 0.05), light)
    share = (fine - coarse) / np.maximum(coarse, 5.0)
    wide = cv2.GaussianBlur(coarse, (0, 0), _COARSE * unit)
    slope = np.hypot(cv2.Sobel(wide, cv2.CV_32F, 1, 0), cv2.Sobel(wide, cv2.CV_32F, 0, 1)) / 8
    steepness = slope * _COARSE * unit / np.maximum(wide, 5.0)
    return np.asarray(np.clip(share, -_MOST, _MOST) / (1 + (steepness / _EDGE) ** 2), np.float32)


def _missing(lent: FloatArray, own: FloatArray, weight: FloatArray) -> FloatArray:
    """What *lent* has beyond its grain, and beyond what *own* has of the same sign."""
    skin = np.abs(lent[weight > 0.5])
    grain = _CORE * 1.48 * float(np.median(skin)) if skin.size else _MOST
    size = np.abs(lent) - grain - np.maximum(own * np.sign(lent), 0)
    return np.asarray(np.sign(lent) * np.maximum(size, 0), np.float32)
