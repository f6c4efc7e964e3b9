"""Faces with the structure of the mean face: landmarks and a part map that fit together, without any net."""

from __future__ import annotations

import cv2
import numpy as np

from services.fusion.domain.face import Face
from services.fusion.domain.pose import HeadPose
from services.fusion.domain.structure import DenseLandmarks, PartMap, mean_face

PARTS = ("background", "skin", "lips", "brows", "sclera", "iris", "hair", "glasses")


def head_pose(yaw_deg=0.0, *, scale_px=55.0, centre=(128.0, 110.0)):
    """A head turned by *yaw_deg*, its pupils *scale_px* apart when it looks ahead."""
    cos, sin = np.cos(np.deg2rad(yaw_deg)), np.sin(np.deg2rad(yaw_deg))
    rotation = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return HeadPose(rotation, scale_px, np.array(centre, float), 0.0)


def dense_landmarks(pose=None, *, moved=None):
    """Landmarks of the mean face in a pose; *moved* shifts those of a prefix by (x, y) pupil distances."""
    face, pose = mean_face(), pose or head_pose()
    points = face.points.copy()
    for prefix, shift in (moved or {}).items():
        points[face.indices(prefix), :2] += shift
    return DenseLandmarks(pose.project(points).astype(np.float32), np.ones(len(points), np.float32))


def part_map(dense, *, size_px=256, without=()):
    """Skin, lips and eyes drawn from the landmarks; parts named in *without* are left out."""
    face = mean_face()
    labels = np.zeros((size_px, size_px), np.uint8)

    def fill(part, *prefixes):
        if part not in without:
            hull = cv2.convexHull(np.round(dense.points[face.indices(*prefixes)]).astype(np.int32))
            cv2.fillConvexPoly(labels, hull, PARTS.index(part.split(":")[0]))

    fill("skin", "")
    fill("lips", "upper_lip", "lower_lip", "left_mouth", "right_mouth")
    for side in ("left", "right"):
        fill(f"sclera:{side}", f"{side}_eye_")
    return PartMap(labels, (0.0, 0.0, float(size_px), float(size_px)), PARTS)


def built_face(*, yaw_deg=0.0, moved=None, without=(), **fields):
    """A `Face` with landmarks, part map and box that fit together; *fields* replace others."""
    pose = head_pose(yaw_deg)
    dense = dense_landmarks(pose, moved=moved)
    names = mean_face().names
    order = ("left_pupil", "right_pupil", "nose_tip", "left_mouth_corner", "right_mouth_corner")
    five = np.stack([dense.points[names.index(name)] for name in order])
    low, high = dense.points.min(0), dense.points.max(0)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    parts = part_map(dense, without=without)
    return Face(**({"box_px": box, "landmarks5": five, "dense": dense, "parts": parts} | fields))
