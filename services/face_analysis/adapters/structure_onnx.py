"""Dense landmarks and the part map, by the starter pack's structure net."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.face_analysis.adapters.net_file import STRUCTURE, OnnxNet
from services.face_analysis.domain.faces import DetectedFace, Rgb
from services.face_analysis.domain.findings import DenseLandmarks, PartMap, Structure

# Of the names of the points, joined by commas: a net with other points must not pass for this scheme.
_KNOWN_SCHEMES = {"f803adf1d50a56832231e06d3a822c98804dc1a8c727693ca3b97551cf1a734a": "likeness-106"}
# float32 exp overflows at 88; a chance of 1e-13 is none.
_LEAST_LOGIT, _MOST_LOGIT = -30.0, 30.0


class OnnxStructureModel:
    """`StructureModel` over structure.onnx: part logits, places in [0, 1] of the crop, visibility logits."""

    def __init__(self, folder: Path, *, thread_count: int = 1) -> None:
        """Load the pair of files. Raises ModelMissing when one is absent, ValueError when they disagree."""
        self._net = OnnxNet(STRUCTURE, folder, ("parts", "landmarks", "visible"), thread_count=thread_count)
        self._parts = tuple(self._net.card["labels"])
        self._scheme = scheme_of(self._net.card["landmarks"])
        sizes = {"parts": len(self._parts), "landmarks": len(self._net.card["landmarks"])}
        found = {"parts": self._net.width_of("parts", 1), "landmarks": self._net.width_of("visible")}
        if sizes != found:
            raise ValueError(f"{folder / 'structure.json'} does not describe the net: {sizes}, {found}")

    def read(self, rgb: Rgb, face: DetectedFace) -> Structure:
        """See `StructureModel.read`."""
        crop, (logits, places, visible) = self._net.look_at(rgb, face)
        x0, y0, x1, _ = crop.box_px
        points = (np.array([x0, y0]) + places.astype(np.float64) * (x1 - x0)).astype(np.float32)
        chances = 1 / (1 + np.exp(-np.clip(visible, _LEAST_LOGIT, _MOST_LOGIT)))
        labels = logits.argmax(axis=0).astype(np.uint8)
        return Structure(
            DenseLandmarks(self._scheme, points, chances.astype(np.float32)),
            PartMap(labels, crop.box_px, self._parts),
        )


def scheme_of(names: Sequence[str]) -> str:
    """The scheme of landmarks with these names, in this order; one of its own for names that nobody knows."""
    digest = hashlib.sha256(",".join(names).encode()).hexdigest()
    return _KNOWN_SCHEMES.get(digest, f"unknown-{digest[:8]}")
