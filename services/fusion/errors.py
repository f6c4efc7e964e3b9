"""Typed errors and refusals of the fusion service."""

from __future__ import annotations

from shared.errors import ErrorReason, LikenessError


class NoFaceFound(LikenessError):
    """A picture in which exactly one face is needed has none."""

    reason = ErrorReason.NO_FACE_FOUND


class SeveralFaces(LikenessError):
    """A picture in which exactly one face is needed has more."""

    reason = ErrorReason.SEVERAL_FACES


class FaceNotInPicture(LikenessError):
    """A picture has no face at the position, or of the name, that is asked for."""

    reason = ErrorReason.FACE_NOT_IN_PICTURE


class FaceTooSmall(LikenessError):
    """The face spans fewer pixels than asked for."""

    reason = ErrorReason.FACE_TOO_SMALL


class BelowIdentityGate(LikenessError):
    """A candidate's best similarity to the references is under the gate."""

    reason = ErrorReason.BELOW_IDENTITY_GATE


class NearDuplicate(LikenessError):
    """A candidate looks the same as a better one."""

    reason = ErrorReason.NEAR_DUPLICATE


class PictureDefect(LikenessError):
    """A candidate is unfit whoever it shows: blank, blown out or black."""

    reason = ErrorReason.PICTURE_DEFECT
