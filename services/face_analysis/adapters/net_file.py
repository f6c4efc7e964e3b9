"""A net of the starter pack, or any other of the same shape: an ONNX file with a JSON card beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.face_analysis.adapters.head_crop import HeadCrop, crop_head
from services.face_analysis.domain.backend import ModelFile
from services.face_analysis.domain.faces import DetectedFace, Floats, Rgb
from services.face_analysis.domain.head_box import cut_box
from shared.errors.common import ModelMissing
from shared.threads import ort_session_options

_LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class NetKind:
    """One of the optional nets.

    Attributes:
        name: of the folder in starter/weights and of the pair of files in it.
        purpose: what it does, for people.
    """

    name: str
    purpose: str

    @property
    def command(self) -> str:
        """What to do where its files are missing."""
        return f"git checkout -- starter/weights/{self.name} (or python -m starter train {self.name})"

    def is_in(self, folder: Path) -> bool:
        """Whether the net's file lies in a folder."""
        return (folder / f"{self.name}.onnx").is_file()

    def model_file(self, is_available: bool) -> ModelFile:
        """What callers are told of it."""
        remedy = "" if is_available else self.command
        return ModelFile(self.name, self.purpose, _LICENCE, is_available, remedy)


ATTRIBUTES = NetKind("attributes", "attributes of the person")
STRUCTURE = NetKind("structure", "dense landmarks and parts of the face")
MARKS = NetKind("marks", "moles, freckles and scars")
QUALITY = NetKind("quality", "technical quality of the picture of a face")


class OnnxNet:
    """A net that sees one head at a time. Sessions of ONNX Runtime are safe to share between threads.

    The card names the crop: `crop.box_scale` times the mean side of dlib's box, at `crop.size_px`.
    """

    def __init__(
        self, kind: NetKind, folder: Path, outputs: Sequence[str] = (), *, thread_count: int = 1
    ) -> None:
        """Load the pair of files; without *outputs* the net's own are taken, in its order.

        Raises:
            ModelMissing: one is absent.
            ValueError: the card has no crop, or the net lacks one of the outputs.
        """
        import onnxruntime

        net, card = (folder / f"{kind.name}.{suffix}" for suffix in ("onnx", "json"))
        for path in (net, card):
            if not path.is_file():
                raise ModelMissing(file=path, licence=_LICENCE, command=kind.command)
        self.card: dict[str, Any] = json.loads(card.read_text("utf-8"))
        self._session: Any = onnxruntime.InferenceSession(
            str(net), ort_session_options(thread_count), providers=["CPUExecutionProvider"]
        )
        known = [output.name for output in self._session.get_outputs()]
        self.outputs, self._input = list(outputs) or known, self._session.get_inputs()[0].name
        lacking = set(self.outputs) - set(known)
        if lacking or "crop" not in self.card:
            raise ValueError(f"{card} does not describe {net.name}: it lacks {sorted(lacking) or 'the crop'}")
        self._scale = float(self.card["crop"]["box_scale"])
        self._size = int(self.card["crop"]["size_px"])

    def look_at(self, rgb: Rgb, face: DetectedFace) -> tuple[HeadCrop, list[Floats]]:
        """The crop of a face, and the outputs for it, each without the batch's axis."""
        crop = crop_head(rgb, cut_box(face), self._scale, self._size)
        results = self._session.run(self.outputs, {self._input: crop.pixels})
        return crop, [result[0] for result in results]

    def width_of(self, output: str, axis: int = -1) -> int | str:
        """Size of an output along an axis; a word where it may vary."""
        shape = next(o.shape for o in self._session.get_outputs() if o.name == output)
        size: int | str = shape[axis]
        return size
