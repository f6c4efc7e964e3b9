"""What dlib sees in a picture. A render that its detector misses is no use as a portrait."""

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from starter.heads.arrays import Floats, Image

UPSAMPLES = (
    0,
    1,
)  # tried in turn: the first finds faces from 80 px, the second from 40 px at four times the cost


@dataclass(frozen=True)
class SeenFace:
    """box_px: x0, y0, x1, y1 (exclusive). embedding: float32 (128,), as dlib gives it, about unit length."""

    box_px: tuple[int, int, int, int]
    embedding: Floats


class FaceReader:
    """dlib's HOG detector, 5-point landmarks and face embedding, loaded at first use, once per process."""

    def read(self, rgb: Image) -> list[SeenFace]:
        """All faces, the largest first; empty where there is none."""
        found: list[Any] = []
        for upsample in UPSAMPLES:
            found = found or sorted(_detector()(rgb, upsample), key=lambda box: -box.area())
        return [
            SeenFace(
                (box.left(), box.top(), box.right() + 1, box.bottom() + 1),
                np.array(_embedder().compute_face_descriptor(rgb, _points()(rgb, box)), np.float32),
            )
            for box in found
        ]


@cache
def _detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()


@cache
def _points() -> Any:
    import dlib

    return dlib.shape_predictor(str(_model("shape_predictor_5_face_landmarks.dat")))


@cache
def _embedder() -> Any:
    import dlib

    return dlib.face_recognition_model_v1(str(_model("dlib_face_recognition_resnet_model_v1.dat")))


def _model(name: str) -> Path:
    """A file of face-recognition-models; importing that package would need pkg_resources."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{name}: pip install face-recognition-models==0.3.0 (CC0)")
    return Path(next(iter(spec.submodule_search_locations))) / "models" / name
