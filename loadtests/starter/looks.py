"""What is read off one picture, kept on disk, so that no picture is read twice."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from likeness.common.v1 import face_pb2
from numpy.typing import NDArray

from loadtests.common.judge import Judge
from loadtests.common.services import Reader, Seen
from loadtests.starter.nets import Floats, PortraitNet
from shared.images import decode_image

MASK_PX = 64
"""Side of the mask of the head, and of the picture that differences are taken of."""
_HEAD = frozenset(
    {"skin", "lips", "brows", "ears", "sclera", "iris", "teeth", "inside_mouth", "lashes", "hair", "beard"}
    | {"glasses", "metal", "headwear"}
)
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Look:
    """What was read off one picture.

    Attributes:
        faces: faces that face analysis found.
        embedding: the judge's, of the largest face, L2-normalised; None without a face.
        words: list -> word: of the attribute net, only with a face, and of the scene net.
        features: of the whole picture, by `open_features`.
        head: base64 of the packed bits of the mask of head, hair and what is worn; None without a part map.
        points: dense landmarks in pixels; empty without.
        identity, compared: embeddings of the largest face that the generator gets, and that gates compare.
    """

    faces: int
    embedding: tuple[float, ...] | None
    words: dict[str, str]
    features: tuple[float, ...]
    head: str | None
    points: tuple[tuple[float, float], ...] = ()
    identity: tuple[float, ...] = ()
    compared: tuple[float, ...] = ()

    @property
    def vector(self) -> Floats | None:
        """The embedding as an array (D,)."""
        return None if self.embedding is None else np.asarray(self.embedding, np.float64)

    def mask(self) -> Mask | None:
        """The mask, bool (MASK_PX, MASK_PX)."""
        if self.head is None:
            return None
        bits = np.unpackbits(np.frombuffer(base64.b64decode(self.head), np.uint8))
        return np.asarray(bits.reshape(MASK_PX, MASK_PX), np.bool_)


class Eye:
    """Reads pictures through face analysis, the judge and the evaluation's nets.

    Args:
        reader: face analysis.
        judge: the held-out embedder.
        scene: the net that reads the scene's words; None where the pack has none.
        features: the net whose features are compared.
        folder: where looks are kept, in a folder of their own for each set of nets.
        readers: `readers_digest`: face analysis and judge tell no more than their names.
    """

    def __init__(
        self,
        reader: Reader,
        judge: Judge,
        scene: PortraitNet | None,
        features: PortraitNet,
        folder: Path,
        readers: str = "",
    ) -> None:
        self._reader, self.judge, self.scene, self.features = reader, judge, scene, features
        self._folder = folder / self._setup(readers)[:12]
        self._known: dict[str, Look] = {}

    def look(self, pictures: Sequence[bytes]) -> list[Look]:
        """Returns the looks of pictures, in order."""
        names = [sha256(data).hexdigest()[:32] for data in pictures]
        todo = {
            name: data
            for name, data in zip(names, pictures, strict=True)
            if name not in self._known and not self._load(name)
        }
        for (name, data), seen in zip(todo.items(), self._reader.read(list(todo.values())), strict=True):
            self._known[name] = self._read(data, seen)
            self._save(name)
        self._reader.forget()
        return [self._known[name] for name in names]

    def _read(self, data: bytes, seen: Seen) -> Look:
        rgb = decode_image(data, name="picture")
        words = dict(self.scene.read(rgb)[0]) if self.scene is not None else {}
        face = seen.faces[0] if seen.faces else None
        embedding = self.judge.embed(Seen(data, (face,))) if face is not None else None
        if face is not None:
            words |= {item.name: item.value for item in face.attributes}
        return Look(
            faces=len(seen.faces),
            embedding=None if embedding is None else tuple(float(value) for value in embedding.round(6)),
            words=words,
            features=tuple(float(value) for value in self.features.read(rgb)[1].round(4)),
            head=None if face is None else _packed(head_mask(face, rgb.shape[0])),
            points=() if face is None else tuple((p.x, p.y) for p in face.dense_landmarks.points),
            identity=() if face is None else tuple(face.embedding.values),
            compared=() if face is None else tuple(face.comparison_embedding.values),
        )

    def _setup(self, readers: str) -> str:
        """A digest of everything that decides what is read."""
        backend = self._reader.backend
        known = [f"{model.purpose}:{model.name}:{model.is_available}" for model in backend.models]
        nets = [net.digest for net in (self.scene, self.features) if net is not None]
        return sha256(json.dumps([known, nets, self.judge.name, readers]).encode()).hexdigest()

    def _load(self, name: str) -> bool:
        file = self._folder / f"{name}.json"
        if not file.is_file():
            return False
        self._known[name] = look_of(json.loads(file.read_text("utf-8")))
        return True

    def _save(self, name: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{name}.draft"
        draft.write_text(json.dumps(asdict(self._known[name])), encoding="utf-8")
        draft.replace(self._folder / f"{name}.json")


def look_of(record: dict[str, Any]) -> Look:
    """Returns the look of a file's record."""
    embedding = record["embedding"]
    return Look(
        **{
            **record,
            "embedding": None if embedding is None else tuple(embedding),
            **{name: tuple(record[name]) for name in ("features", "identity", "compared")},
            "points": tuple((x, y) for x, y in record["points"]),
        }
    )


def head_mask(face: face_pb2.Face, side_px: int) -> Mask | None:
    """Returns where a square picture shows head, hair and what is worn; None without a part map."""
    if not face.HasField("part_map"):
        return None
    sent, box = face.part_map, face.part_map.box
    labels = np.asarray(
        cv2.imdecode(np.frombuffer(sent.image.data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8
    )
    is_head = np.isin(labels, [number for number, part in enumerate(sent.parts) if part in _HEAD])
    # Centres of the mask's cells, in pixels of the part map; outside of its box there is no head.
    centres = (np.arange(MASK_PX) + 0.5) * side_px / MASK_PX
    columns = ((centres - box.x0) / (box.x1 - box.x0) * labels.shape[1]).astype(int)
    rows = ((centres - box.y0) / (box.y1 - box.y0) * labels.shape[0]).astype(int)
    inside = np.outer((rows >= 0) & (rows < len(labels)), (columns >= 0) & (columns < labels.shape[1]))
    found = is_head[np.clip(rows, 0, len(labels) - 1)][:, np.clip(columns, 0, labels.shape[1] - 1)]
    return np.asarray(found & inside, np.bool_)


def _packed(mask: Mask | None) -> str | None:
    return None if mask is None else base64.b64encode(np.packbits(mask).tobytes()).decode()
