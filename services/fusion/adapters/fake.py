"""Deterministic stand-ins for every port: fast, no OpenCV; for load tests and client teams."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from services.fusion.domain.checks import Check, clipped_check, flat_check
from services.fusion.domain.exemplars import Stroke
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import FuseOptions, Template, WarpMode
from services.fusion.domain.geometry import face_frame, face_outline, similarity_transform
from services.fusion.domain.ports import Swapped, Textured
from services.fusion.domain.structure import FoundMark
from services.fusion.errors import PictureDefect
from shared.cancellation import CancellationToken
from shared.errors import LikenessError


class FakeSwapper:
    """Mixes the template's mean colour into the box of the face's outline."""

    name = "fake"

    def swap(self, image: Image, face: Face, template: Template, options: FuseOptions) -> Swapped:
        """See `FaceSwapper.swap`."""
        transform = similarity_transform(template.face.landmarks5, face.landmarks5)
        outline = face_outline(face.landmarks5)
        height, width = image.shape[:2]
        x0, y0 = (int(v) for v in np.clip(outline.min(0), 0, (width, height)))
        x1, y1 = (int(v) for v in np.clip(outline.max(0), 0, (width, height)))
        out = image.copy()
        area = out[y0:y1, x0:x1]
        colour = template.image.reshape(-1, 3).mean(0)
        out[y0:y1, x0:x1] = np.round(area + options.strength * (colour - area)).astype(np.uint8)
        share = (x1 - x0) * (y1 - y0) / (width * height)
        return Swapped(out, transform, (x0, y0, x1, y1), share, WarpMode.SIMILARITY)


class FakeMarks:
    """Takes each pixel of pure red near the face for a mark, and paints marks as single dark pixels."""

    def find(self, image: Image, face: Face) -> list[FoundMark]:
        """See `MarkFinder.find`."""
        frame = face_frame(face.landmarks5)
        rows, columns = np.nonzero((image == (255, 0, 0)).all(-1))
        reach = 2 * frame.span_px
        near = np.hypot(columns - frame.to_px[0, 2], rows - frame.to_px[1, 2]) < reach
        return [
            FoundMark("spot", float(x) + 0.5, float(y) + 0.5, 0.03 * frame.span_px, 1.0)
            for x, y in zip(columns[near], rows[near], strict=True)
        ]

    def paint(
        self, image: Image, strokes: Sequence[Stroke], photo: Callable[[int], Image]
    ) -> tuple[Image, list[bool]]:
        """See `MarkPainter.paint`; a mark is set off where its pixel in the photo is no grey."""
        out, painted = image.copy(), []
        for stroke in strokes:
            best, placed = stroke.exemplars[0], stroke.placed
            source = photo(best.photo)[int(best.y_px), int(best.x_px)]
            painted.append(bool(source.min() != source.max()))
            if painted[-1]:
                out[int(placed.y_px), int(placed.x_px)] //= 2
        return out, painted


class FakeTexture:
    """Darkens the middle of the face's box, by the strength."""

    def add(self, image: Image, face: Face, templates: Sequence[Template], *, strength: float) -> Textured:
        """See `SkinTexture.add`."""
        out = image.copy()
        x0, y0, x1, y1 = face.box_px
        column, row = int((x0 + x1) / 2), int((y0 + y1) / 2)
        pixel = out[row : row + 1, column : column + 1]
        pixel[:] = np.round(pixel * (1 - 0.5 * strength)).astype(np.uint8)
        return Textured(out, 5.0 * strength)


class FakeEnhancer:
    """Repeats pixels; strength has no effect."""

    name = "fake"

    def __init__(self, scale: int = 1) -> None:
        """For one factor."""
        self.scale = scale

    def enhance(self, image: Image, *, strength: float, token: CancellationToken) -> Image:
        """See `Enhancer.enhance`."""
        token.raise_if_cancelled()
        return np.ascontiguousarray(image.repeat(self.scale, axis=0).repeat(self.scale, axis=1))


class FakeInspector:
    """Describes a picture by 64 of its pixels; calls a picture of a single colour defective."""

    def appearance(self, image: Image) -> FloatArray:
        """See `PictureInspector.appearance`."""
        flat = image.reshape(-1, 3)
        picked = flat[np.linspace(0, len(flat) - 1, 64).astype(int)].astype(np.float32).ravel() - 128.5
        return np.asarray(picked / np.linalg.norm(picked), np.float32)

    def checks(self, image: Image, face: Face) -> list[Check]:
        """See `PictureInspector.checks`; in the face's box, by white pixels and by those like the first."""
        x0, y0, x1, y1 = (int(max(edge, 0)) for edge in face.box_px)
        area = image[y0:y1, x0:x1].reshape(-1, 3)
        if not len(area):
            return []
        clipped, same = (area == 255).all(-1), (area == area[0]).all(-1)
        return [clipped_check(float(clipped.mean())), flat_check(float(same.mean()))]

    def defect(self, image: Image, name: str) -> LikenessError | None:
        """See `PictureInspector.defect`."""
        if (image == image[0, 0]).all():
            return PictureDefect(image=name, defect="it is blank")
        return None
