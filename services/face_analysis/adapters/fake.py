"""A face backend without a model: deterministic and fast, for tests, load tests and client teams."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.backend import BackendInfo, ModelFile
from services.face_analysis.domain.faces import DetectedFace, Floats, Rgb, area_px, normalised
from services.face_analysis.domain.geometry import ARCFACE_SIZE_PX, ARCFACE_TEMPLATE_PX, align_face
from services.face_analysis.domain.metric import IdentityMetric

_DIMENSION = 64
_THUMBNAIL = 8
_MIN_SHARE = 0.01
_SPREAD = 48

# Where the landmarks lie within a box, as shares of its sides: the ArcFace template cut to the face.
_PLACES = (ARCFACE_TEMPLATE_PX - [16.0, 16.0]) / [80.0, 96.0]


class FakeBackend:
    """`FaceBackend` that takes every connected patch of skin-like colour for a face.

    Skin-like is: red over green over blue by a margin, on a thumbnail at most 48 px wide; a patch counts
    from 1 % of the picture. Embeddings are a fixed random projection of the aligned patch's 8x8 colours, so
    the same picture has the same embedding and similar pictures have similar ones. Stateless.
    """

    def __init__(self, *, seed: int = 0) -> None:
        shape = (_THUMBNAIL * _THUMBNAIL * 3, _DIMENSION)
        self._projection = np.random.default_rng(seed).standard_normal(shape)

    @property
    def info(self) -> BackendInfo:
        """Constants."""
        return BackendInfo(
            name="fake",
            embedding_model="fake-projection-v1",
            embedding_dimension=_DIMENSION,
            same_person_similarity=0.9,
            metric=IdentityMetric(0.8),
            min_face_px=8,
            models=(ModelFile("fake-projection-v1", "everything, for tests", "Apache-2.0"),),
        )

    def detect(self, rgb: Rgb) -> list[DetectedFace]:
        """See `FaceBackend.detect`."""
        step = max(1, -(-max(rgb.shape[:2]) // _SPREAD))
        small = rgb[::step, ::step].astype(np.int16)
        red, green, blue = small[..., 0], small[..., 1], small[..., 2]
        patches = connected_patches((red > green + 15) & (green > blue + 5) & (red > 60))
        faces = [_face(patch * step, step) for patch in patches if len(patch) >= _MIN_SHARE * red.size]
        return sorted(faces, key=lambda face: -area_px(face.box_px))

    def embed(self, rgb: Rgb, faces: Sequence[DetectedFace]) -> Floats:
        """See `FaceBackend.embed`."""
        if not faces:
            return np.zeros((0, _DIMENSION), np.float32)
        side = ARCFACE_SIZE_PX // _THUMBNAIL
        rows = []
        for face in faces:
            aligned = align_face(rgb, face.landmarks_px).astype(np.float64)
            cells = aligned.reshape(_THUMBNAIL, side, _THUMBNAIL, side, 3).mean(axis=(1, 3))
            # One constant keeps a black patch from having no direction.
            rows.append((cells - cells.mean(axis=(0, 1)) + 1.0).reshape(-1) @ self._projection)
        return normalised(np.stack(rows))


def connected_patches(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.intp]]:
    """The 4-connected regions of a mask, each as (n, 2) rows of (y, x), in reading order of first pixels."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    patches = []
    while left:
        seed = min(left)
        left.discard(seed)
        patch, frontier = [seed], [seed]
        while frontier:
            y, x = frontier.pop()
            for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if place in left:
                    left.discard(place)
                    patch.append(place)
                    frontier.append(place)
        patches.append(np.array(patch, np.intp))
    return patches


def _face(patch_px: npt.NDArray[np.intp], step: int) -> DetectedFace:
    y0, x0 = patch_px.min(axis=0)
    y1, x1 = patch_px.max(axis=0) + step
    box = (float(x0), float(y0), float(x1), float(y1))
    landmarks = np.array([x0, y0]) + _PLACES * np.array([x1 - x0, y1 - y0])
    return DetectedFace(box, landmarks.astype(np.float32), 0.99, 0.99)
