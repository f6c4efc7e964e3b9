"""Fusion between likeness.fusion.v1 messages and the domain; nothing is read from a store here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from likeness.common.v1 import image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from services.fusion import convert
from services.fusion.domain.face import Image
from services.fusion.domain.fusing import DEFAULT_WARP, BlendMode, FuseOptions, RegionWeights, WarpMode
from services.fusion.domain.people import FacesOfPicture
from services.fusion.engine.fuse import Fused, FusedFace
from services.fusion.engine.people import Person, TemplatePhoto
from shared.errors.common import FieldInvalid

Reader = Callable[[image_pb2.Image, str], Awaitable[Image]]
"""(message, what errors call it) -> the decoded picture."""

_BLENDS = {
    pb.BLENDING_UNSPECIFIED: BlendMode.PYRAMID,
    pb.BLENDING_PYRAMID: BlendMode.PYRAMID,
    pb.BLENDING_POISSON: BlendMode.POISSON,
}
_WARPS = {
    pb.WARP_UNSPECIFIED: DEFAULT_WARP,
    pb.WARP_SIMILARITY: WarpMode.SIMILARITY,
    pb.WARP_LANDMARKS: WarpMode.LANDMARKS,
    pb.WARP_POSED: WarpMode.POSED,
}
_WARPS_DONE = {mode: number for number, mode in _WARPS.items() if number != pb.WARP_UNSPECIFIED}


def options_from_proto(request: pb.FuseRequest) -> FuseOptions:
    """What is asked for, with the defaults of the proto.

    Raises:
        FieldInvalid: weights that leave nothing to fuse.
    """
    given, default = request.region_weights, RegionWeights()
    regions = RegionWeights(
        eyes=given.eyes if given.HasField("eyes") else default.eyes,
        skin=given.skin if given.HasField("skin") else default.skin,
        lips=given.lips if given.HasField("lips") else default.lips,
    )
    if max(regions.eyes, regions.skin, regions.lips) <= 0:
        raise FieldInvalid(field="region_weights", problem="all are zero, so that nothing would be fused")
    strength = request.strength if request.HasField("strength") else 1.0
    return FuseOptions(strength, regions, _BLENDS[request.blending], _WARPS[request.warp])


def candidate_from_proto(message: pb.FacedImage) -> FacesOfPicture:
    """The candidate's faces and who they are."""
    return _found(message, "candidate")


def people_from_proto(request: pb.FuseRequest, read: Reader) -> list[Person]:
    """Who is to be brought in: the people, or the one person that `templates` show.

    Raises:
        FieldInvalid: both or neither are given, or a face is broken.
    """
    if bool(request.templates) == bool(request.people):
        problem = "give either templates or people" if request.people else "templates or people are needed"
        raise FieldInvalid(field="templates", problem=problem)
    if request.templates:
        photos = _photos(request.templates, "template", read)
        return [Person("", _position(request.candidate), photos)]
    if request.candidate.HasField("face_position"):
        problem = "goes with templates; each of the people has a position of its own"
        raise FieldInvalid(field="candidate.face_position", problem=problem)
    return [
        Person(p.name, _position(p), _photos(p.templates, f"template of {p.name}", read))
        for p in request.people
    ]


def fused_to_proto(fused: Fused, image: image_pb2.Image) -> pb.FuseResponse:
    """The response of Fuse."""
    first = fused.faces[0]
    return pb.FuseResponse(
        image=image,
        template_index=first.choice.index,
        mask_share=first.mask_share,
        strength=fused.options.strength,
        pose_similarity=first.choice.pose_similarity,
        transform=[float(v) for v in first.transform.ravel()],
        changed_box=_box(fused.changed_box_px),
        faces=[_face_to_proto(face) for face in fused.faces],
        backend=fused.backend,
    )


def _face_to_proto(face: FusedFace) -> pb.FusedFace:
    return pb.FusedFace(
        name=face.name,
        face_position=face.face_position,
        template_index=face.choice.index,
        template_score=face.choice.score,
        pose_similarity=face.choice.pose_similarity,
        expression_similarity=face.choice.expression_similarity,
        mask_share=face.mask_share,
        warp=_WARPS_DONE[face.warp],
        transform=[float(v) for v in face.transform.ravel()],
        changed_box=_box(face.changed_box_px),
    )


def _box(box_px: tuple[int, int, int, int]) -> image_pb2.Box:
    x0, y0, x1, y1 = box_px
    return image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1)


def _position(message: pb.FacedImage | pb.FusedPerson) -> int | None:
    return message.face_position if message.HasField("face_position") else None


def _found(message: pb.FacedImage, position: str) -> FacesOfPicture:
    faces = tuple(convert.face_from_proto(face) for face in message.faces)
    return FacesOfPicture(message.image.name or position, faces, tuple(message.face_names))


def _photos(messages: Iterable[pb.FacedImage], role: str, read: Reader) -> tuple[TemplatePhoto, ...]:
    photos = []
    for number, message in enumerate(messages, 1):
        found = _found(message, f"{role} {number}")

        def picture(image: image_pb2.Image = message.image, name: str = found.name) -> Awaitable[Image]:
            return read(image, name)

        photos.append(TemplatePhoto(found, _position(message), picture))
    return tuple(photos)
