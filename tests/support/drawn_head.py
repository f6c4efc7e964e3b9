"""Heads drawn from the mean face's landmarks: every dense landmark and every part is known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from services.fusion.domain.face import Face
from services.fusion.domain.face_model import face_modes
from services.fusion.domain.pose import HeadPose
from services.fusion.domain.structure import DenseLandmarks, PartMap, mean_face

PARTS = ("background", "skin", "lips", "brows", "sclera", "iris", "hair", "glasses", "beard")
FIVE = ("left_pupil", "right_pupil", "nose_tip", "left_mouth_corner", "right_mouth_corner")


def head_pose(yaw_deg=0.0, pitch_deg=0.0, scale_px=52.0, centre=(128.0, 112.0)):
    """A head turned by degrees; scale_px is the distance of its pupils, which lie around *centre*."""
    yaw, pitch = np.deg2rad(yaw_deg), np.deg2rad(pitch_deg)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    return HeadPose(nod @ turn, float(scale_px), np.array(centre, np.float64), 0.0)


def head_points(identity=(), expression=()):
    """Landmarks (106, 3) of the mean face plus modes, in standard deviations."""
    modes, points = face_modes(), mean_face().points.copy()
    for strengths, kinds in ((identity, modes.identity), (expression, modes.expression)):
        for strength, mode in zip(strengths, kinds, strict=False):
            points += strength * mode
    return points


def draw_head(
    *,
    pose=None,
    identity=(),
    expression=(),
    size=256,
    skin=(205, 160, 135),
    iris=(60, 90, 140),
    lips=(180, 80, 85),
    hair=(50, 35, 25),
    fringe=False,
    glasses=False,
    quality=0.9,
    light=(0.94, 1.04),
    with_parts=True,
):
    """An RGB picture (S, S, 3) and its `Face` with dense landmarks and part map.

    *light* is the brightness at the left and at the right edge.
    """
    pose = pose or head_pose()
    points = pose.project(head_points(identity, expression))
    image = np.full((size, size, 3), (70, 100, 130), np.uint8)
    parts = np.zeros((size, size), np.uint8)
    visible = np.ones(len(points), np.float32)

    def paint(polygon, colour, part):
        corners = [np.round(polygon * 16).astype(np.int32)]
        cv2.fillPoly(image, corners, tuple(int(c) for c in colour), cv2.LINE_AA, shift=4)
        cv2.fillPoly(parts, corners, PARTS.index(part), shift=4)

    def hull(*prefixes):
        return cv2.convexHull(points[mean_face().indices(*prefixes)].astype(np.float32))[:, 0]

    outline = cv2.convexHull(points.astype(np.float32))[:, 0]
    middle = outline.mean(0)
    paint(middle + (outline - middle) * 1.18 - [0, 0.12 * pose.scale_px], hair, "hair")
    paint(outline, skin, "skin")
    paint(hull("nose_tip", "left_nostril", "right_nostril"), np.array(skin) * 0.8, "skin")
    for side in ("left", "right"):
        paint(hull(f"{side}_brow"), (60, 40, 30), "brows")
        paint(hull(f"{side}_eye"), (240, 240, 240), "sclera")
        pupil = points[mean_face().names.index(f"{side}_pupil")]
        circle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        paint(pupil + 0.075 * pose.scale_px * np.column_stack([np.cos(circle), np.sin(circle)]), iris, "iris")
    paint(hull("upper_lip", "lower_lip", "left_mouth", "right_mouth"), lips, "lips")
    if fringe:
        low = points[mean_face().indices("left_brow", "right_brow"), 1].max()
        left, right = outline[:, 0].min(), outline[:, 0].max()
        top = outline[:, 1].min()
        paint(np.array([(left, top), (right, top), (right, low), (left, low)]), hair, "hair")
        visible[
            mean_face().indices("left_brow", "right_brow", "forehead", "left_forehead", "right_forehead")
        ] = 0
    if glasses:
        for side in ("left", "right"):
            pupil = points[mean_face().names.index(f"{side}_pupil")]
            circle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            ring = pupil + 0.36 * pose.scale_px * np.column_stack([np.cos(circle), np.sin(circle)])
            curve = [np.round(ring * 16).astype(np.int32)]
            cv2.polylines(image, curve, True, (20, 20, 20), 4, cv2.LINE_AA, shift=4)
            cv2.polylines(parts, curve, True, PARTS.index("glasses"), 4, shift=4)
    shade = np.linspace(*light, size)[None, :, None]
    image = np.clip(np.round(image * shade), 0, 255).astype(np.uint8)
    five = points[[mean_face().names.index(name) for name in FIVE]].astype(np.float32)
    low, high = points.min(0), points.max(0)
    face = Face(
        (float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        five,
        quality=quality,
        yaw_deg=pose.yaw_deg,
        pitch_deg=pose.pitch_deg,
        dense=DenseLandmarks(points.astype(np.float32), visible),
        parts=PartMap(parts, (0.0, 0.0, float(size), float(size)), PARTS) if with_parts else None,
    )
    return image, face


def shifted(face, x, y):
    """The same face in a picture whose origin lies (x, y) further up and left."""
    offset = np.array([x, y], np.float32)
    x0, y0, x1, y1 = face.box_px
    box = (x0 + x, y0 + y, x1 + x, y1 + y)
    dense, parts = face.dense, face.parts
    if dense is not None:
        dense = replace(dense, points=dense.points + offset)
    if parts is not None:
        a, b, c, d = parts.box_px
        parts = replace(parts, box_px=(a + x, b + y, c + x, d + y))
    return replace(face, box_px=box, landmarks5=face.landmarks5 + offset, dense=dense, parts=parts)
