"""Projection of the picture and of the key light's shadow map."""

from dataclasses import dataclass

import numpy as np

from starter.heads.arrays import Floats, normalised
from starter.heads.head import Head
from starter.heads.scene import Framing, Lighting

FIELD_OF_VIEW_DEG = 18
EYES_ABOVE_CENTRE = 0.07  # share of the picture height
SHADOW_HALF_WIDTH, SHADOW_DEPTH = 2.6, 6.0  # decimetres around the face


@dataclass(frozen=True)
class Camera:
    """position (3,) in decimetres; view_projection (4, 4) maps column vectors to clip space.

    axes: rows right, up and backward of the camera, unit length (3, 3).

    focal: half the picture's height is at 1 / focal of the distance.
    """

    position: Floats
    target: Floats
    view_projection: Floats
    axes: Floats
    focal: float

    def project(self, points: Floats, size_px: int) -> Floats:
        """Pixels (n, 2), x right and y down from the top left corner, of points (n, 3)."""
        clip = np.column_stack([points, np.ones(len(points))]) @ self.view_projection.T
        x, y = clip[:, 0] / clip[:, 3], clip[:, 1] / clip[:, 3]
        return np.stack([x * 0.5 + 0.5, 0.5 - y * 0.5], axis=1) * size_px


def aim(head: Head, framing: Framing) -> Camera:
    """Portrait framing: the eyes a little above the centre, the face filling `framing.fill` of the height."""
    face_height = head.face_height
    height = face_height / framing.fill
    focal = float(1 / np.tan(np.radians(FIELD_OF_VIEW_DEG) / 2))
    distance = height / 2 * focal
    shift = np.array([framing.right, framing.up - EYES_ABOVE_CENTRE, 0]) * height
    target = head.eye_midpoint + shift
    position = target + np.array([0, framing.rise * face_height, distance])
    near, far = distance - 6, distance + 8
    depth_scale, depth_shift = (far + near) / (near - far), 2 * far * near / (near - far)
    projection = np.array(
        [[focal, 0, 0, 0], [0, focal, 0, 0], [0, 0, depth_scale, depth_shift], [0, 0, -1, 0]]
    )
    looking = _look_at(position, target)
    return Camera(position, target, projection @ looking, looking[:3, :3], focal)


def shadow_projection(lighting: Lighting, target: Floats) -> Floats:
    """Orthographic (4, 4) matrix from the key light onto the face around `target`."""
    toward = normalised(np.array(lighting.key_direction))
    right = normalised(np.cross([0, 1, 0], toward))
    up = np.cross(toward, right)
    matrix = np.eye(4)
    matrix[0, :3] = right / SHADOW_HALF_WIDTH
    matrix[1, :3] = up / SHADOW_HALF_WIDTH
    matrix[2, :3] = -toward / SHADOW_DEPTH
    matrix[:3, 3] = -matrix[:3, :3] @ (target + np.array([0, -0.3, 0]))
    return matrix


def _look_at(position: Floats, target: Floats) -> Floats:
    forward = normalised(target - position)
    right = normalised(np.cross(forward, [0, 1, 0]))
    up = np.cross(right, forward)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, up, -forward])
    matrix[:3, 3] = -matrix[:3, :3] @ position
    return matrix
