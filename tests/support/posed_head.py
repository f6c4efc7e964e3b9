"""Flat pictures of the mean head in any pose, with its dense landmarks, part map and marks."""

from __future__ import annotations

import cv2
import numpy as np

from services.fusion.domain.face import Face
from services.fusion.domain.head_map import HeadMap
from services.fusion.domain.pose import HeadPose
from services.fusion.domain.structure import DenseLandmarks, FoundMark, PartMap, mean_face

PARTS = ("background", "skin", "hair", "lips", "sclera")
SKIN = (205, 160, 135)


def rotation(yaw=0.0, pitch=0.0, roll=0.0):
    """Rotation in the axes of the mean face (y down); yaw > 0 to the viewer's right, pitch > 0 looks up."""
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def posed(yaw=0.0, pitch=0.0, roll=0.0, *, scale=52.0, centre=(128.0, 110.0)):
    """Dense landmarks of the mean face; *scale* is px between the pupils, *centre* lies between them."""
    pose = HeadPose(rotation(yaw, pitch, roll), scale, np.array(centre), 0.0)
    points = pose.project(mean_face().points).astype(np.float32)
    return DenseLandmarks(points, np.ones(len(points), np.float32))


def draw_head(
    yaw=0.0,
    pitch=0.0,
    roll=0.0,
    *,
    scale=52.0,
    centre=(128.0, 110.0),
    size=256,
    skin=SKIN,
    marks=(),
    hidden=None,
    searched=True,
    noise_seed=None,
    line=None,
    **face,
):
    """An RGB picture (size, size, 3) and its `Face`.

    *marks*: (x, y, radius, share of the skin's brightness) in places of `FaceMap`. *hidden*: a box in pixels
    that hair lies over. *line*: places of a dark curve. *searched*: whether the face lists its marks.
    """
    dense = posed(yaw, pitch, roll, scale=scale, centre=centre)
    outline = cv2.convexHull(np.round(dense.points * 16).astype(np.int32))
    labels = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(labels, outline, 1, shift=4)
    image = np.full((size, size, 3), (70, 100, 130), np.float32)
    image[labels > 0] = skin
    found = []
    to_face = HeadMap.of(dense)
    for x, y, radius, share in marks:
        place = np.array([[x, y]])
        (px,), (slope,) = to_face.project(place), to_face.jacobian(place)
        if to_face.facing(place)[0] > 0:
            _paint(image, px, slope, radius, share)
            found.append(FoundMark("mole", float(px[0]), float(px[1]), radius * scale, 0.8))
    if line is not None:
        _draw_line(image, to_face.project(np.array(line, np.float64)))
    if hidden is not None:
        x0, y0, x1, y1 = hidden
        image[y0:y1, x0:x1], labels[y0:y1, x0:x1] = (40, 30, 25), 2
    if noise_seed is not None:
        image += np.random.default_rng(noise_seed).normal(0, 2.0, image.shape)
    picture = np.clip(np.round(image), 0, 255).astype(np.uint8)
    return picture, Face(
        tuple(float(v) for v in (*dense.points.min(0), *dense.points.max(0))),
        five_of(dense),
        yaw_deg=yaw,
        pitch_deg=pitch,
        dense=dense,
        parts=PartMap(labels, (0.0, 0.0, float(size), float(size)), PARTS),
        marks=tuple(found) if searched else None,
        **face,
    )


def five_of(dense):
    """The five landmarks among the dense ones."""
    names = ("left_pupil", "right_pupil", "nose_tip", "left_mouth_corner", "right_mouth_corner")
    return dense.points[[mean_face().names.index(name) for name in names]]


def _paint(image, px, slope, radius, share):
    """A disc on the skin, four samples by pixel each way, as the pose foreshortens it."""
    reach = int(np.abs(slope).max() * radius) + 2
    x0, y0 = (max(int(v) - reach, 0) for v in px)
    block = image[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1]
    height, width = block.shape[:2]
    x, y = np.meshgrid(x0 + (np.arange(width * 4) + 0.5) / 4, y0 + (np.arange(height * 4) + 0.5) / 4)
    inside = np.linalg.norm((np.stack([x, y], -1) - px) @ np.linalg.inv(slope).T, axis=-1) <= radius
    cover = inside.reshape(height, 4, width, 4).mean((1, 3))
    block *= 1 - (1 - share) * cover[..., None]


def _draw_line(image, points):
    drawn = np.zeros(image.shape[:2], np.uint8)
    cv2.polylines(drawn, [np.round(points * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    image *= 1 - 0.15 * cv2.GaussianBlur(drawn.astype(np.float32) / 255, (0, 0), 0.7)[..., None]
