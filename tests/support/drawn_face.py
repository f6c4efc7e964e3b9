"""Faces drawn with a few ellipses, with known landmarks: enough for everything that is not a detector."""

from __future__ import annotations

import cv2
import numpy as np

# Template of a 100 px wide face around its centre: eyes, nose, mouth corners.
_POINTS = np.array([(-22, -15), (22, -15), (0, 6), (-17, 28), (17, 28)], np.float32)


def draw_face(
    size=(256, 256),
    *,
    centre=(128, 130),
    scale=1.4,
    angle_deg=0.0,
    skin=(205, 160, 135),
    eyes=(60, 90, 140),
    wall=(70, 100, 130),
    moles=(),
    noise_seed=None,
):
    """An RGB picture (H, W, 3) and its five landmarks (5, 2).

    *moles* are (x, y, radius) in the units of the 100 px wide face, so that they turn and grow with it.
    """
    height, width = size
    big = 4
    canvas = np.empty((height * big, width * big, 3), np.uint8)
    canvas[:] = wall
    turn = np.deg2rad(angle_deg)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

    def place(x, y):
        return linear @ (x, y) + centre

    def ellipse(x, y, rx, ry, colour):
        at = tuple(int(v) for v in np.round(place(x, y) * big))
        axes = (max(1, round(rx * scale * big)), max(1, round(ry * scale * big)))
        cv2.ellipse(canvas, at, axes, angle_deg, 0, 360, tuple(int(c) for c in colour), -1)

    ellipse(0, 0, 50, 62, skin)
    for x in (-22, 22):
        ellipse(x, -15, 9, 5, (240, 240, 240))
        ellipse(x, -15, 4, 4, eyes)
        ellipse(x, -27, 11, 2, (60, 40, 30))
    ellipse(0, 6, 5, 4, np.array(skin) * 0.9)
    ellipse(0, 28, 17, 5, (180, 80, 85))
    for x, y, radius in moles:
        ellipse(x, y, radius, radius, np.array(skin) * 0.45)
    image = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    shade = np.linspace(0.92, 1.05, width)[None, :, None]
    image = np.clip(image * shade, 0, 255)
    if noise_seed is not None:
        image = image + np.random.default_rng(noise_seed).normal(0, 2.0, image.shape)
    landmarks = np.array([place(x, y) for x, y in _POINTS], np.float32)
    return np.clip(np.round(image), 0, 255).astype(np.uint8), landmarks


def box_of(landmarks):
    """A detector's box around landmarks of `draw_face`, max exclusive."""
    middle, span = landmarks.mean(0), float(np.hypot(*(landmarks[1] - landmarks[0])))
    return tuple(float(v) for v in (*(middle - 1.15 * span), *(middle + 1.15 * span)))
