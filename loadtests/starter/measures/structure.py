"""Dense landmarks against ground truth, through face analysis; and what the nets' cards say."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from loadtests.starter.looks import Look
from starter.data.manifest import Sample


def landmark_errors(samples: Sequence[Sample], looks: Sequence[Look]) -> dict[int, list[float]]:
    """Returns by person each picture's mean error of visible landmarks, in percent of the eye distance.

    Pictures in which face analysis finds no landmarks, or whose ground truth has none, are left out.
    """
    found: dict[int, list[float]] = {}
    for sample, look in zip(samples, looks, strict=True):
        if len(look.points) == 0 or len(look.points) != len(sample.landmarks):
            continue
        distances = np.linalg.norm(np.asarray(look.points) - sample.landmarks, axis=1)
        eyes = np.subtract(sample.landmarks_px["left_eye"], sample.landmarks_px["right_eye"])
        is_seen = sample.visibility == 0
        if is_seen.any():
            error = 100 * distances[is_seen].mean() / np.linalg.norm(eyes)
            found.setdefault(sample.identity, []).append(float(error))
    return found


def card(weights: Path, name: str) -> dict[str, Any] | None:
    """Returns what a net's card says of held-out pictures; None where the pack has no such net."""
    file = weights / name / f"{name}.json"
    if not file.is_file():
        return None
    held_out: dict[str, Any] = json.loads(file.read_text("utf-8")).get("held_out", {})
    return held_out
