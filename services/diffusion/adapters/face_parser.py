"""Regions by a face parser: the decoded early estimate is split into parts, face and hair are the mask."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.ports import LatentCodec, RegionFinder
from shared.sdmodels import ModelFileMissing, ModelUnsupported
from shared.sdmodels.folder import read_json

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

# Names of parts of face and hair where parser.json does not say which: the starter pack's and those of
# parsers trained on CelebAMask-HQ. Glasses belong to it, or the mask would have holes at the eyes.
_STARTER_NAMES = {
    "skin",
    "lips",
    "brows",
    "ears",
    "sclera",
    "iris",
    "teeth",
    "inside_mouth",
    "lashes",
    "hair",
}
_CELEB_NAMES = {"nose", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth", "u_lip", "l_lip"}
_HEAD_NAMES = _STARTER_NAMES | _CELEB_NAMES | {"face", "hair", "beard", "glasses", "eye_g"}
_USUAL_SIDE_PX = 128
# A head smaller than this share of the picture is none: the estimate is too early to be parsed.
_LEAST_SHARE = 0.01


class FaceParser:
    """parser.onnx: "image" float32 [1, 3, S, S] RGB in [0, 1] to "parts", logits [1, K, S, S].

    S is what the file says; one whose sides are free is given 128 px.
    parser.json beside it: {"labels": [K names, in order], "head": [those of face and hair, optional]}.
    """

    def __init__(self, folder: Path) -> None:
        """Open *folder*/parser.onnx and parser.json.

        Raises:
            ModelFileMissing: A file is absent.
            ModelUnsupported: It names no part of a head, or the network is of another form.
        """
        import onnxruntime

        if not (folder / "parser.onnx").exists():
            raise ModelFileMissing(folder / "parser.onnx", "not found")
        self._head = _head_labels(folder / "parser.json")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            folder / "parser.onnx", options, providers=["CPUExecutionProvider"]
        )
        names = [put.name for put in (*self._session.get_inputs(), *self._session.get_outputs())]
        if names != ["image", "parts"]:
            raise ModelUnsupported(folder / "parser.onnx", f"its tensors are {names}, not image and parts")
        side = self._session.get_inputs()[0].shape[-1]
        self._side_px = side if isinstance(side, int) else _USUAL_SIDE_PX

    def head(self, image: Image) -> Array:
        """Float32 [H, W] of 0 and 1, 1 = face or hair, for RGB uint8 [H, W, 3]."""
        sides = (self._side_px, self._side_px)
        fitted = cv2.resize(image, sides, interpolation=cv2.INTER_AREA)
        given = (fitted.astype(np.float32) / 255).transpose(2, 0, 1)[None]
        logits: Any = self._session.run(["parts"], {"image": given})[0]
        found = np.isin(logits[0].argmax(axis=0), self._head).astype(np.float32)
        height, width = image.shape[:2]
        return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)


class ParsedRegion:
    """RegionFinder that parses the decoded estimate; where that shows no head yet, *fallback* answers."""

    description = "parser"

    def __init__(self, parser: FaceParser, codec: LatentCodec, fallback: RegionFinder) -> None:
        self._parser = parser
        self._codec = codec
        self._fallback = fallback

    def find(self, with_identity: Array, without_identity: Array) -> Array:
        """Mask float32 [h, w]: the share of each cell that face and hair cover."""
        head = self._parser.head(self._codec.decode(with_identity))
        if head.mean() < _LEAST_SHARE:
            return self._fallback.find(with_identity, without_identity)
        height, width = with_identity.shape[1:]
        return np.asarray(cv2.resize(head, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _head_labels(file: Path) -> list[int]:
    """Numbers of the labels that make up face and hair."""
    content = read_json(file)
    labels = content.get("labels")
    if not isinstance(labels, list):
        raise ModelUnsupported(file, "it has no list of labels")
    head = content.get("head", _HEAD_NAMES)
    found = [number for number, name in enumerate(labels) if name in head]
    if not found:
        raise ModelUnsupported(file, "none of its labels is a part of face or hair")
    return found
