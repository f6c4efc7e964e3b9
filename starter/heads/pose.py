"""Turning the head on its neck; shoulders follow by a third of the turn."""

import numpy as np

from starter.heads.arrays import Floats, smoothstep
from starter.heads.assets import load_assets
from starter.heads.mesh import DATA, MATERIAL, NORMAL, POSITION, Material

SHOULDERS_FOLLOW = 0.35


def rotation(yaw_deg: float, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> Floats:
    """Rotation (3, 3): yaw > 0 turns the face to the viewer's right (+x), pitch > 0 down, roll > 0 to -x."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z)


def turn(vertices: Floats, raw: Floats, yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
    """Pose packed vertices (n, 14) around the neck joint of `raw`; the neck blends between head and body."""
    pivot = raw[load_assets().neck_joint].mean(axis=0) + np.array([0, 0.1, 0])
    head = rotation(yaw_deg, pitch_deg, roll_deg)
    body = rotation(yaw_deg * SHOULDERS_FOLLOW)
    posed = vertices.copy()
    points, normals = vertices[:, POSITION], vertices[:, NORMAL]
    # Under the chin the blend starts lower than at the nape, along the jaw.
    height = points[:, 1] + 0.35 * (points[:, 2] - 0.3)
    weight = smoothstep(pivot[1] - 0.45, pivot[1] + 0.6, height)[:, None]
    centred = points - pivot
    posed[:, POSITION] = (centred @ body.T) * (1 - weight) + (centred @ head.T) * weight + pivot
    turned = (normals @ body.T) * (1 - weight) + (normals @ head.T) * weight
    posed[:, NORMAL] = turned / (np.linalg.norm(turned, axis=1, keepdims=True) + 1e-9)
    is_hair = np.isin(vertices[:, MATERIAL], (Material.HAIR, Material.BEARD))
    tangents = vertices[is_hair, DATA]
    posed[is_hair, 9:12] = tangents[:, :3] @ head.T
    return posed
