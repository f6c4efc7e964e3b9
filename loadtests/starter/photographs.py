"""Photographs in, characters out: public-domain portraits that packages ship. Shown, not scored."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from numpy.typing import NDArray

from loadtests.common.drawing import Drawings
from loadtests.common.services import CALL_TIMEOUT_S, Services
from loadtests.starter.looks import Eye, Look
from loadtests.starter.measures.gap import Renders
from loadtests.starter.methods import Method, fill
from loadtests.starter.portraits import seed_of
from loadtests.starter.prompts import FIXED
from loadtests.starter.scale import Scale
from services.orchestrator.domain.prompts import MIN_ATTRIBUTE_CONFIDENCE, build_prompt
from shared.images import decode_image, encode_png

SHOWN = ("sex", "age", "skin", "hair_color")
_TEMPLATE = (
    "portrait of a {person}, {skin}, {hair}, {eyes}, {beard}, {glasses}, neutral expression, facing forward, "
    "grey background, navy shirt, soft light"
)
_ROOM, _SHOWN_ROOM = 3.0, 1.9
"""Squares that are kept and shown of a photograph: sides in widths of the face's box."""
Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Photograph:
    """A photograph: what it is called, who may show it, how it is loaded, and which package it needs."""

    name: str
    credit: str
    load: Callable[[], Rgb]
    package: str = ""


@dataclass
class Shown:
    """What came of one photograph.

    Attributes:
        photograph: which one.
        problem: why no portraits were made; "" where they were.
        picture: file of the part around the face.
        prompt: what the portraits were asked for, after what was read off the photograph.
        read: the person's words by the attribute net.
        portraits: by method's title, files and what was read off them.
        gaps: distance to renders, of the embedding that the generator gets and of the one that gates compare.
    """

    photograph: Photograph
    problem: str = ""
    picture: Path | None = None
    prompt: str = ""
    read: dict[str, str] = field(default_factory=dict)
    portraits: dict[str, list[tuple[Path, Look]]] = field(default_factory=dict)
    gaps: dict[str, dict[str, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Returns it for the report."""
        return {
            "name": self.photograph.name,
            "credit": self.photograph.credit,
            "problem": self.problem,
            "prompt": self.prompt,
            "read": self.read,
            "portraits": {
                method: [
                    {"faces": look.faces, **{name: look.words.get(name) for name in SHOWN}}
                    for _, look in made
                ]
                for method, made in self.portraits.items()
            },
            "gaps": self.gaps,
        }


def _astronaut() -> Rgb:
    from skimage import data

    return np.asarray(data.astronaut(), np.uint8)


def _read(file: Path) -> Rgb:
    return decode_image(file.read_bytes(), name=file.name)


def _hopper() -> Rgb:
    from matplotlib import get_data_path

    return _read(Path(get_data_path()) / "sample_data" / "grace_hopper.jpg")


SHIPPED = (
    Photograph("Eileen Collins", "NASA, public domain; in scikit-image", _astronaut, "scikit-image"),
    Photograph("Grace Hopper", "US Navy, public domain; in matplotlib", _hopper, "matplotlib"),
)
"""Photographs that anybody may show, and that lie in installed packages."""


def photographs_of(folder: Path | None) -> Iterator[Photograph]:
    """Yields the shipped ones, then the pictures of a folder of one's own."""
    yield from SHIPPED
    for file in sorted(folder.iterdir()) if folder is not None else ():
        if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
            yield Photograph(file.stem, "given with --photos", partial(_read, file))


class Section:
    """Makes portraits of photographs.

    Args:
        services: the services under test.
        drawings: the diffusion service's pictures.
        eye: what reads pictures.
        scale: methods and number of pictures.
        renders: looks of held-out renders, which the embeddings are held against.
        folder: where the shown parts of photographs are written.
    """

    def __init__(
        self,
        services: Services,
        drawings: Drawings,
        eye: Eye,
        scale: Scale,
        renders: list[Look],
        folder: Path,
    ) -> None:
        self._services, self._drawings, self._eye, self._scale = services, drawings, eye, scale
        seen = [look for look in renders if look.identity]
        self._spreads = {
            "given to the generator": ("identity", Renders(np.array([look.identity for look in seen]))),
            "after the metric of the gates": (
                "compared",
                Renders(np.array([look.compared for look in seen])),
            ),
        }
        self._folder = folder

    def show(self, photograph: Photograph) -> Shown:
        """Returns what comes of one photograph; one that cannot be used says why."""
        shown = Shown(photograph)
        try:
            rgb = photograph.load()
        except ImportError:
            shown.problem = f"{photograph.package} is not installed: pip install 'likeness[eval]'"
            return shown
        faces = self._faces(rgb)
        if len(faces) > 1:
            # Where the detector sees somebody else too, the services ask for a crop to the one who is meant.
            rgb = around(rgb, faces[0], _ROOM)
            faces = self._faces(rgb)
        shown.picture = self._save(photograph, around(rgb, faces[0], _SHOWN_ROOM) if faces else rgb)
        request = analysis_pb.CuratePhotosRequest(photos=[image_pb2.Image(data=encode_png(rgb))])
        curated = self._services.faces.CuratePhotos(request, timeout=CALL_TIMEOUT_S)
        photo = curated.photos[0]
        if not photo.is_accepted:
            shown.problem = "; ".join(refusal.message for refusal in photo.refusals)
            return shown
        shown.read = {item.name: item.value for item in curated.attributes}
        sure = {i.name: i.value for i in curated.attributes if i.confidence >= MIN_ATTRIBUTE_CONFIDENCE}
        shown.prompt = build_prompt(_TEMPLATE, sure)
        for title, (kind, spread) in self._spreads.items():
            values = photo.face.embedding if kind == "identity" else photo.face.comparison_embedding
            shown.gaps[title] = asdict(spread.gap(values.values))
        self._draw(shown, photo.face)
        return shown

    def _draw(self, shown: Shown, face: face_pb2.Face) -> None:
        for method in self._scale.methods:
            if not method.uses_tokens or method.uses_adapter:
                continue
            requests = [self._request(shown.prompt, face, method, i) for i in range(self._scale.image_count)]
            self._drawings.draw(requests)
            files = [self._drawings.file(request) for request in requests]
            looks = self._eye.look([file.read_bytes() for file in files])
            shown.portraits[method.title] = list(zip(files, looks, strict=True))

    def _request(self, prompt: str, face: face_pb2.Face, method: Method, index: int) -> pb.GenerateRequest:
        request = pb.GenerateRequest(
            model=self._drawings.model.name, prompt=prompt, seed=seed_of(FIXED, index)
        )
        fill(request, method)
        request.identity.embeddings.append(face.embedding)
        return request

    def _faces(self, rgb: Rgb) -> list[face_pb2.Face]:
        """Faces of a picture, the largest first."""
        request = analysis_pb.AnalyzeRequest(images=[image_pb2.Image(data=encode_png(rgb))])
        [image] = self._services.faces.Analyze(request, timeout=CALL_TIMEOUT_S).images
        return list(image.faces)

    def _save(self, photograph: Photograph, rgb: Rgb) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"photo-{photograph.name.lower().replace(' ', '-')}.png"
        file.write_bytes(encode_png(rgb))
        return file


def around(rgb: Rgb, face: face_pb2.Face, room: float) -> Rgb:
    """Returns the square around a face, its side *room* widths of the face's box.

    Moved to lie in the picture, and smaller where the picture is.
    """
    height, width = rgb.shape[:2]
    box = face.box
    side = round(min(height, width, room * (box.x1 - box.x0)))
    left = round(float(np.clip((box.x0 + box.x1 - side) / 2, 0, width - side)))
    top = round(float(np.clip((box.y0 + box.y1 - side) / 2, 0, height - side)))
    return np.ascontiguousarray(rgb[top : top + side, left : left + side])
