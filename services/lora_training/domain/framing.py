"""Where a face stands in the frame of a model: crops photos as the model saw its training data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FRAMING_FILE = "framing.json"


@dataclass(frozen=True)
class Framing:
    """Portrait frame of a model, in fractions of the square image side.

    A model folder may carry its own numbers in `framing.json` with these field names. The defaults are the
    starter pack's: means over 2,422 of its renders, with the landmarks that dlib finds in them.

    Attributes:
        eye_midpoint_x: horizontal place of the midpoint between the eyes.
        eye_midpoint_y: vertical place of that midpoint, 0 = top.
        eye_distance: distance between the eye centres of a frontal face.
        eyes_to_mouth: distance from that midpoint to the midpoint of the mouth corners.
    """

    eye_midpoint_x: float = 0.50
    eye_midpoint_y: float = 0.44
    eye_distance: float = 0.20
    eyes_to_mouth: float = 0.21

    @classmethod
    def of_model(cls, model_dir: Path) -> Framing:
        """Read `framing.json` of a model folder, or return the defaults when the folder has none."""
        path = model_dir / FRAMING_FILE
        return cls(**json.loads(path.read_text("utf-8"))) if path.is_file() else cls()


@dataclass(frozen=True)
class Jitter:
    """A small random change of the crop.

    Attributes:
        scale: factor on the size of the face, 1 = none.
        shift_x: shift in fractions of the side, positive = right.
        shift_y: shift in fractions of the side, positive = down.
        degrees: rotation, positive = clockwise on screen.
        is_mirrored: whether the crop is mirrored left to right after everything else.
    """

    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    degrees: float = 0.0
    is_mirrored: bool = False


Matrix = npt.NDArray[np.float64]


def face_to_frame(
    landmarks5_px: npt.NDArray[np.float32], side_px: int, framing: Framing, jitter: Jitter
) -> Matrix:
    """Return the (2, 3) matrix from photo pixels to a square crop of `side_px`.

    The eyes decide place and rotation. The scale comes from the eye distance and the eyes-to-mouth distance
    together, as a turned head shortens only the first and a raised one only the second.

    Args:
        landmarks5_px: (5, 2) left eye, right eye, nose, left and right mouth corner; left is the viewer's.
        side_px: side of the crop in pixels.
        framing: where the model expects the face.
        jitter: change of the crop.
    """
    points = landmarks5_px.astype(np.float64)
    eyes = (points[0] + points[1]) / 2
    across = points[1] - points[0]
    down = (points[3] + points[4]) / 2 - eyes
    seen = float(np.hypot(np.hypot(*across), np.hypot(*down)))
    wanted = float(np.hypot(framing.eye_distance, framing.eyes_to_mouth)) * side_px
    angle = -float(np.arctan2(across[1], across[0])) + np.radians(jitter.degrees)
    target = np.array([framing.eye_midpoint_x + jitter.shift_x, framing.eye_midpoint_y + jitter.shift_y])
    return _compose(eyes, target * side_px, wanted / seen * jitter.scale, angle, side_px, jitter.is_mirrored)


def centre_to_frame(width_px: int, height_px: int, side_px: int, jitter: Jitter) -> Matrix:
    """Return the (2, 3) matrix that crops the largest centred square of a picture without a known face."""
    scale = side_px / min(width_px, height_px) * max(jitter.scale, 1.0)
    centre = np.array([(width_px - 1) / 2, (height_px - 1) / 2])
    middle = np.array([(side_px - 1) / 2, (side_px - 1) / 2])
    return _compose(centre, middle, scale, np.radians(jitter.degrees), side_px, jitter.is_mirrored)


def _compose(
    source: Matrix, target: Matrix, scale: float, angle: float, side_px: int, mirror: bool
) -> Matrix:
    """Rotate and scale about `source`, put it on `target`, then mirror when asked."""
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.concatenate([turn, (target - turn @ source)[:, None]], axis=1)
    if mirror:
        matrix[0] = -matrix[0]
        matrix[0, 2] += side_px - 1
    return matrix


def face_weights(
    landmarks5_px: npt.NDArray[np.float32], matrix: Matrix, side_px: int
) -> npt.NDArray[np.float32]:
    """Return an (H, W) float32 map in [0, 1]: 1 in the face (brows to chin), fading outwards."""
    points = landmarks5_px.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    eyes, mouth = (points[0] + points[1]) / 2, (points[3] + points[4]) / 2
    height = float(np.hypot(*(mouth - eyes)))
    width = max(float(np.hypot(*(points[1] - points[0]))), 0.8 * height)
    centre = eyes + 0.45 * (mouth - eyes)
    ys, xs = np.mgrid[0:side_px, 0:side_px]
    radius = np.hypot((xs - centre[0]) / (1.25 * width), (ys - centre[1]) / (1.55 * height))
    return np.asarray(np.clip((1.15 - radius) / 0.3, 0.0, 1.0), np.float32)
