"""Nets that read words off a whole portrait, and their features: the evaluation's eyes."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from shared.threads import ort_session_options

Floats = NDArray[np.float64]
_FEATURES = "features"
_ALONG = ("Add", "Cast", "Identity")
_LAST = ("Gemm", "MatMul")


def readers_digest(weights: Path, judge: Path | None = None) -> str:
    """Returns a digest of the nets of a pack that read pictures through the services, and of the judge.

    judge: folder of the embedder; None = the pack's.
    """
    files = [weights / name / f"{name}.onnx" for name in ("attributes", "structure")]
    return digest_of(*files, (judge or weights / "embedder") / "embedder.onnx")


def parser_digest(weights: Path) -> str:
    """Returns a digest of the pack's face parser, by which late injection goes."""
    return digest_of(weights / "parser" / "parser.onnx")


def digest_of(*files: Path) -> str:
    """Returns a SHA-256 of the contents of files; one that is not there counts as such."""
    found = [sha256(file.read_bytes()).hexdigest() if file.is_file() else "" for file in files]
    return sha256(json.dumps(found).encode()).hexdigest()


class PortraitNet:
    """`NAME.onnx` with its card, as starter/train writes them; gives the last layer's inputs too.

    The features stand where published work has CLIP's and Inception's: no such net is part of this project.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Loads the pair of files. Raises: FileNotFoundError."""
        file = folder / f"{name}.onnx"
        card = json.loads((folder / f"{name}.json").read_text("utf-8"))
        self.name, self.digest = name, sha256(file.read_bytes()).hexdigest()
        self.labels: dict[str, tuple[str, ...]] = {key: tuple(words) for key, words in card["labels"].items()}
        self._size = int(card["crop"]["size_px"])
        import onnxruntime

        self._session: Any = onnxruntime.InferenceSession(
            with_features(file).SerializeToString(),
            ort_session_options(1),
            providers=["CPUExecutionProvider"],
        )

    def read(self, rgb: NDArray[np.uint8]) -> tuple[dict[str, str], Floats]:
        """Returns the likeliest word of each list, and the features (D,), of a square portrait (H, H, 3)."""
        small = cv2.resize(rgb, (self._size, self._size), interpolation=cv2.INTER_AREA)
        pixels = small.astype(np.float32).transpose(2, 0, 1)[None] / 255
        *logits, features = self._session.run([*self.labels, _FEATURES], {"image": pixels})
        words = {
            name: known[int(values[0].argmax())]
            for (name, known), values in zip(self.labels.items(), logits, strict=True)
        }
        return words, np.asarray(features[0], np.float64).ravel()


def with_features(file: Path) -> onnx.ModelProto:
    """Returns the net with one more output, "features": what its last linear layers multiply.

    Raises: ValueError if its first output does not come from a linear layer.
    """
    model = onnx.load(str(file))
    makers = {name: node for node in model.graph.node for name in node.output}
    node = makers.get(model.graph.output[0].name)
    while node is not None and node.op_type in _ALONG:
        node = next((makers[name] for name in node.input if name in makers), None)
    if node is None or node.op_type not in _LAST:
        raise ValueError(f"{file}: the last layer is not linear, so it has no features to compare by")
    source = helper.make_node("Identity", [node.input[0]], [_FEATURES])
    model.graph.node.append(source)
    model.graph.output.append(helper.make_empty_tensor_value_info(_FEATURES))
    return model


def open_scene(weights: Path) -> PortraitNet | None:
    """Returns the scene net of a pack; None where it has none."""
    folder = weights / "scene"
    return PortraitNet(folder, "scene") if (folder / "scene.onnx").is_file() else None


def open_features(weights: Path) -> PortraitNet:
    """Returns the net whose features are compared: the scene net's, else the attribute net's.

    The attribute net was trained on head crops; on whole portraits its features say less.
    Raises: FileNotFoundError where the pack has neither.
    """
    return open_scene(weights) or PortraitNet(weights / "attributes", "attributes")
