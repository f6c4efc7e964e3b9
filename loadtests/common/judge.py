"""The embedder that scores likeness: one that took no part in making the pictures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from likeness.common.v1 import face_pb2
from numpy.typing import NDArray

from loadtests.common.services import Seen
from shared.images import decode_image
from shared.threads import ort_session_options
from starter.data.cropping import Matrix, cut

Floats = NDArray[np.float64]
_SCHEME = "likeness-106"
# dlib's mean box in root mean square distances of the landmarks from their middle; 360 held-out renders.
_BOX_SIDE, _BOX_BELOW = 2.51, 0.20
EMBEDDER = Path(__file__).resolve().parents[2] / "starter" / "weights" / "embedder"


class Judge(Protocol):
    """Embeds faces.

    Attributes:
        name: what reports call it.
        takes_part: True where the same embedding conditions the generator or ranks, so that it flatters.
    """

    name: str
    takes_part: bool

    def embed(self, seen: Seen) -> Floats | None:
        """Returns the face's embedding, L2-normalised (D,); None where there is not exactly one face."""
        ...


class HeldOutEmbedder:
    """The starter pack's `embedder`, which is used for evaluation only."""

    takes_part = False

    def __init__(self, folder: Path) -> None:
        """Loads embedder.onnx and its card. Raises: FileNotFoundError."""
        import onnxruntime

        card = json.loads((folder / "embedder.json").read_text("utf-8"))
        self.name = "starter embedder (evaluation only)"
        self._scale, self._size = float(card["crop"]["box_scale"]), int(card["crop"]["size_px"])
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "embedder.onnx"), ort_session_options(1), providers=["CPUExecutionProvider"]
        )

    def embed(self, seen: Seen) -> Floats | None:
        """See `Judge`. The normalised sum of a crop's embedding and its mirror image's, as the card says."""
        if seen.only is None:
            return None
        rgb = decode_image(seen.data, name="picture")
        crop = cut(rgb, crop_matrix(seen.only, self._size, self._scale), self._size)
        pixels = crop.astype(np.float32).transpose(2, 0, 1) / 255
        [both] = self._session.run(None, {"image": np.stack([pixels, pixels[:, :, ::-1]])})
        return unit(both.sum(axis=0))


def crop_matrix(face: face_pb2.Face, size: int, scale: float) -> Matrix:
    """Returns the map from the picture to the crop of the card's rule, with dlib's box made steady.

    dlib's box comes in a few sizes and jumps by a tenth when a picture moves by 2 px: that moved the
    similarity of a portrait by 0.028 (rms), as much as one candidate differs from the next. The box that dlib
    would give on average follows from the dense landmarks; with it the same shift moves it by 0.0004, and
    held-out people are told apart a little better (AUC 0.973 instead of 0.971). Without landmarks: the box.
    """
    points = np.array([(point.x, point.y) for point in face.dense_landmarks.points], np.float64)
    if face.dense_landmarks.scheme == _SCHEME:
        centre = points.mean(axis=0)
        radius = float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
        centre[1] += _BOX_BELOW * radius
        side = scale * _BOX_SIDE * radius
    else:
        box = face.box
        centre = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
        side = scale * ((box.x1 - box.x0) + (box.y1 - box.y0)) / 2
    factor = size / side
    shift = size / 2 - factor * centre
    return np.array([[factor, 0, shift[0]], [0, factor, shift[1]]], np.float64)


class StandIn:
    """The embedding that the services themselves use: for trying out, never for publishing."""

    name = "the services' own embedder (a stand-in that TOOK PART: it flatters)"
    takes_part = True

    def embed(self, seen: Seen) -> Floats | None:
        """See `Judge`."""
        return unit(np.array(seen.only.embedding.values)) if seen.only is not None else None


def open_judge(folder: Path | None) -> Judge:
    """Returns the held-out embedder of *folder*, by default the starter pack's; the stand-in without one.

    Raises: FileNotFoundError if a folder is named and has none.
    """
    if folder is None and not (EMBEDDER / "embedder.onnx").is_file():
        return StandIn()
    return HeldOutEmbedder(folder or EMBEDDER)


def unit(vector: NDArray[Any]) -> Floats:
    """Returns a vector at length 1, float64. Raises: ValueError if its length is 0."""
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise ValueError("an embedding of length 0 has no direction")
    return np.asarray(vector, np.float64) / length


def similarities(embedding: Floats | None, references: Sequence[Floats]) -> tuple[float, float] | None:
    """Returns the mean and the best cosine to the references; None without a face."""
    if embedding is None:
        return None
    cosines = np.stack(references) @ embedding
    return float(cosines.mean()), float(cosines.max())
