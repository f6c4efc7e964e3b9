"""Deterministic stand-ins for every port: fast, no OpenCV; for load tests and client teams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import FuseOptions, Template
from services.fusion.domain.geometry import apply, face_frame, face_outline, similarity_transform
from services.fusion.domain.marks import Mark, RecurringMark, RestoredMark
from services.fusion.domain.ports import Swapped
from services.fusion.errors import PictureDefect
from shared.errors import LikenessError


class FakeSwapper:
    """Mixes the template's mean colour into the box of the face's outline."""

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
        return Swapped(out, transform, (x0, y0, x1, y1), share)


class FakeMarks:
    """Takes each pixel of pure red near the face for a mark, and paints marks as single dark pixels."""

    def find(self, image: Image, face: Face) -> list[Mark]:
        """See `MarkFinder.find`."""
        frame = face_frame(face.landmarks5)
        inverse = np.linalg.inv(frame.to_px[:, :2])
        rows, columns = np.nonzero((image == (255, 0, 0)).all(-1))
        points = (np.column_stack([columns, rows]) - frame.to_px[:, 2]) @ inverse.T
        return [Mark(float(x), float(y), 0.03, 0.5, 0.0, 0.0, 1.0) for x, y in points]

    def paint(
        self, image: Image, face: Face, marks: Sequence[RecurringMark]
    ) -> tuple[Image, list[RestoredMark]]:
        """See `MarkPainter.paint`."""
        frame = face_frame(face.landmarks5)
        present = self.find(image, face)
        out, placed = image.copy(), []
        for recurring in marks:
            mark = recurring.mark
            x, y = (float(v) for v in apply(frame.to_px, np.array([[mark.x, mark.y]]))[0])
            if not (0 <= round(x) < image.shape[1] and 0 <= round(y) < image.shape[0]):
                continue
            if abs(mark.x) > 1 or not -1 < mark.y < 2:
                continue
            there = any(mark.distance_to(p) < 0.06 for p in present)
            if not there:
                out[round(y), round(x)] //= 2
            radius_px = max(mark.radius * frame.span_px, 0.8)
            placed.append(RestoredMark(x, y, radius_px, mark.confidence, recurring.seen_in, there))
        return out, placed


class FakeEnhancer:
    """Repeats pixels; strength has no effect."""

    @property
    def scales(self) -> tuple[int, ...]:
        """1 and 2."""
        return (1, 2)

    def enhance(self, image: Image, *, scale: int, strength: float) -> Image:
        """See `Enhancer.enhance`."""
        if scale not in self.scales:
            raise ValueError(f"scale {scale} is not one of {self.scales}")
        return np.ascontiguousarray(image.repeat(scale, axis=0).repeat(scale, axis=1))


class FakeInspector:
    """Describes a picture by 64 of its pixels; calls a picture of a single colour defective."""

    def appearance(self, image: Image) -> FloatArray:
        """See `PictureInspector.appearance`."""
        flat = image.reshape(-1, 3)
        picked = flat[np.linspace(0, len(flat) - 1, 64).astype(int)].astype(np.float32).ravel() - 128.5
        return np.asarray(picked / np.linalg.norm(picked), np.float32)

    def defect(self, image: Image, name: str) -> LikenessError | None:
        """See `PictureInspector.defect`."""
        if (image == image[0, 0]).all():
            return PictureDefect(image=name, defect="it is blank")
        return None
