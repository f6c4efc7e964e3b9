"""Use case: bring wrinkles and the texture of the skin back from a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.fusion.domain.face import Image
from services.fusion.domain.fusing import Template
from services.fusion.domain.ports import SkinTexture
from services.fusion.domain.texture import choose_texture, strength_by_age
from services.fusion.engine.lazy_picture import LazyPicture
from shared.errors.common import FieldInvalid


@dataclass(frozen=True, slots=True, eq=False)
class Retextured:
    """The picture, and how it came about.

    Attributes:
        image: equal to the candidate where *strength* is 0.
        reference_index: which of the references fits best; up to two more have a say.
        strength: that was applied, in [0, 1].
        added_contrast: see `Textured`.
    """

    image: Image
    reference_index: int
    strength: float
    added_contrast: float


def restore_texture(
    texture: SkinTexture,
    candidate: LazyPicture,
    references: Sequence[LazyPicture],
    strength: float | None,
    *,
    min_face_px: float,
) -> Retextured:
    """Take the texture of the sharpest references that look the candidate's way.

    *strength* None goes by the age that the references' attributes state.

    Raises:
        NoFaceFound, SeveralFaces, FaceNotInPicture: it is not clear whose skin is meant.
        FieldInvalid: the candidate, or each of the references, has no dense landmarks, or broken ones.
    """
    face = candidate.face(min_face_px=min_face_px)
    faces = [reference.face(min_face_px=min_face_px) for reference in references]
    if face.dense is None:
        raise FieldInvalid(field=f"dense_landmarks of {candidate.found.name}", problem=_NEEDED)
    order = choose_texture(face.dense, faces)
    if not order:
        raise FieldInvalid(field="dense_landmarks of references", problem=_NEEDED)
    strength = strength_by_age(faces) if strength is None else strength
    image = candidate.load()
    if strength == 0:
        return Retextured(image, order[0], 0.0, 0.0)
    templates = [
        Template(references[k].found.name, references[k].load(), faces[k]) for k in order[:_MOST_TEMPLATES]
    ]
    made = texture.add(image, face, templates, strength=strength)
    return Retextured(made.image, order[0], strength, made.added_contrast)


_MOST_TEMPLATES = 3
_NEEDED = "texture is warped by them; have the pictures analysed with their structure"
