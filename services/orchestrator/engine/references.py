"""Judging photos: which are kept, with the face and the crop that later stages use."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.orchestrator.domain.faces import Attribute, BlobRef, CuratedPhoto, Face, Picture
from services.orchestrator.domain.identity import Photo
from services.orchestrator.domain.ports import Caller
from services.orchestrator.engine.tools import Tools
from services.orchestrator.errors import NoUsablePhoto
from shared.images.sniff import known_format

# Photos that could not be read are told about, not kept.
_UNREADABLE = frozenset(
    {"IMAGE_UNREADABLE", "IMAGE_TRUNCATED", "IMAGE_TOO_LARGE", "IMAGE_FORMAT_UNSUPPORTED"}
)


@dataclass(frozen=True)
class JudgedSet:
    """Photos with their verdicts, the person's attributes, and the position of the template face."""

    photos: tuple[Photo, ...]
    attributes: tuple[Attribute, ...]
    template_index: int


async def judge(tools: Tools, pictures: Sequence[Picture], caller: Caller, owner: str) -> JudgedSet:
    """Curate photos and store what is kept of them for the owner.

    Raises:
        NoUsablePhoto: No photo is fit; nothing new is stored then.
    """
    curation = await tools.face_analysis.curate(pictures, caller)
    if not any(verdict.is_accepted for verdict in curation.photos):
        raise NoUsablePhoto(count=len(pictures), refusals=_summary(curation.photos))
    photos = [
        await _keep(tools, picture, verdict, caller.tenant, owner)
        for picture, verdict in zip(pictures, curation.photos, strict=True)
    ]
    return JudgedSet(tuple(photos), curation.attributes, curation.template_index)


def _summary(verdicts: Sequence[CuratedPhoto]) -> str:
    return "; ".join(
        f"{verdict.name}: {', '.join(refusal.reason for refusal in verdict.refusals)}" for verdict in verdicts
    )


async def _keep(tools: Tools, picture: Picture, verdict: CuratedPhoto, tenant: str, owner: str) -> Photo:
    original = None
    if not any(refusal.reason in _UNREADABLE for refusal in verdict.refusals):
        media_type = f"image/{(known_format(picture.data) or 'unknown').lower()}"
        original = await tools.artifacts.put(picture.data, tenant=tenant, owner=owner, media_type=media_type)
    reference, face = None, verdict.face
    if verdict.is_accepted and face is not None:
        reference, face = await _crop(tools, picture, verdict, face, tenant, owner)
    return Photo(
        display_name=verdict.name or picture.name,
        original=original,
        reference=reference,
        face=face,
        is_accepted=verdict.is_accepted,
        refusals=verdict.refusals,
        warnings=verdict.warnings,
        similarity_to_set=verdict.similarity_to_set,
        applied_rotation_degrees=verdict.applied_rotation_degrees,
    )


async def _crop(
    tools: Tools, picture: Picture, verdict: CuratedPhoto, face: Face, tenant: str, owner: str
) -> tuple[BlobRef, Face]:
    crop = await asyncio.to_thread(
        tools.pictures.reference_crop, picture, face, verdict.applied_rotation_degrees
    )
    ref = await tools.artifacts.put(crop.data, tenant=tenant, owner=owner, media_type=crop.media_type)
    return ref, face.moved(left_px=crop.left_px, top_px=crop.top_px, scale=crop.scale)
