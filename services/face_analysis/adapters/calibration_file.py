"""Calibrations of the identity metric as safetensors files."""

from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from services.face_analysis.domain.metric import IdentityMetric

DLIB_RENDERS = Path(__file__).parent / "dlib_renders.safetensors"
"""For dlib's embeddings of the starter pack's renders; made by services/face_analysis/calibrate.py."""


def save_metric(metric: IdentityMetric, path: Path, **notes: str) -> None:
    """Write centre, projection and threshold; *notes* say what the calibration was made of."""
    if metric.centre is None or metric.projection is None:
        raise ValueError("a metric without a centre and a projection needs no file")
    tensors = {"centre": metric.centre, "projection": np.ascontiguousarray(metric.projection)}
    notes |= {"same_set_similarity": str(metric.same_set_similarity), "name": metric.name}
    save_file(tensors, path, metadata=notes)


def load_metric(path: Path) -> IdentityMetric:
    """Read what `save_metric` wrote. Raises FileNotFoundError, KeyError for a file of another kind."""
    with safe_open(path, framework="numpy") as file:
        notes = file.metadata() or {}
        return IdentityMetric(
            float(notes["same_set_similarity"]),
            file.get_tensor("centre"),
            file.get_tensor("projection"),
            notes["name"],
        )
