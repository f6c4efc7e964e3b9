"""The errors of this service. Several of them are also refusals of one photo within a set."""

from shared.errors import ErrorReason, LikenessError


class NoFaceFound(LikenessError):
    """The detector found no face at any right angle. Metadata: image, min_face_px."""

    reason = ErrorReason.NO_FACE_FOUND


class SeveralFaces(LikenessError):
    """No single person is meant. Metadata: image, count."""

    reason = ErrorReason.SEVERAL_FACES


class FaceTooSmall(LikenessError):
    """Too few pixels to learn a face from. Metadata: image, size_px, min_px."""

    reason = ErrorReason.FACE_TOO_SMALL


class FaceTooBlurred(LikenessError):
    """Out of focus, shaken, or enlarged. Metadata: image, sharpness, min_sharpness."""

    reason = ErrorReason.FACE_TOO_BLURRED


class FaceBadlyExposed(LikenessError):
    """Much too dark or too bright. Metadata: image, exposure, allowed."""

    reason = ErrorReason.FACE_BADLY_EXPOSED


class FaceTurnedAway(LikenessError):
    """More a profile than a face. Metadata: image, angle_deg, max_deg."""

    reason = ErrorReason.FACE_TURNED_AWAY


class FaceLowConfidence(LikenessError):
    """The landmarks cannot be trusted. Metadata: image, confidence, min_confidence."""

    reason = ErrorReason.FACE_LOW_CONFIDENCE


class DifferentPerson(LikenessError):
    """Not the person of the rest of the set. Metadata: image, similarity, min_similarity."""

    reason = ErrorReason.DIFFERENT_PERSON
