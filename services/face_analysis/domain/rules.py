"""What one photo must be, alone, to be fit to train on."""

from dataclasses import dataclass

from services.face_analysis.domain.backend import BackendInfo
from services.face_analysis.domain.faces import Face
from services.face_analysis.domain.photos import ImageAnalysis
from services.face_analysis.errors import (
    FaceBadlyExposed,
    FaceLowConfidence,
    FaceTooBlurred,
    FaceTooSmall,
    FaceTurnedAway,
    NoFaceFound,
    SeveralFaces,
)
from shared.errors import LikenessError


@dataclass(frozen=True)
class CurationRules:
    """The thresholds, each with where it comes from. Renders: see "Figures" in the service's README."""

    min_size_px: float = 64.0
    """The longer side of the box. A render of a 70 px face carries as much identity for dlib as one of
    140 px (AUC .987, .981), one of 35 px clearly less (.953)."""
    min_sharpness: float = 0.13
    """Laplacian variance 15. No render in focus is refused, nine in ten are under a blur of 2.3 % of
    the face, all under one of 3.1 %."""
    min_exposure: float = 0.5
    """No render as it is falls below, nor one of the darkest skin in a quarter of its light; a tenth of the
    light or twice as much does in most."""
    max_turn_deg: float = 40.0
    """Larger of |yaw| and |pitch| - 10. dlib's distance to the same face from the front passes the
    same-person threshold between 30 and 45 degrees of yaw; pitch is coarse, hence the allowance."""
    pitch_allowance_deg: float = 10.0
    min_landmark_confidence: float = 0.3
    """For dlib: five points that wander by 7 % of the eye distance when the box is moved by 5 %.
    Some 3 % of renders, mostly with square glasses or eyes in shadow; their points are indeed wrong."""
    min_area_ratio: float = 4.0
    """The largest face must have this many times the area of the second (FaceChain's rule)."""
    duplicate_similarity: float = 0.998
    """Cosine from which two photos count as one photo saved twice (a JPEG at quality 50 keeps .998)."""


def main_face(analysis: ImageAnalysis, name: str, info: BackendInfo, min_area_ratio: float) -> Face:
    """The face that a photo is of. Raises NoFaceFound, or SeveralFaces when the largest does not dominate."""
    if not analysis.faces:
        raise NoFaceFound(image=name, min_face_px=info.min_face_px)
    largest, *others = analysis.faces
    if others and largest.area_px < min_area_ratio * others[0].area_px:
        raise SeveralFaces(image=name, count=len(analysis.faces))
    return largest


def quality_errors(name: str, face: Face, rules: CurationRules) -> list[LikenessError]:
    """Everything that is wrong with a face in itself, for a photo called `name`."""
    q = face.quality
    errors: list[LikenessError] = []
    if q.size_px < rules.min_size_px:
        errors.append(FaceTooSmall(image=name, size_px=round(q.size_px), min_px=round(rules.min_size_px)))
    if q.sharpness < rules.min_sharpness:
        errors.append(FaceTooBlurred(image=name, sharpness=q.sharpness, min_sharpness=rules.min_sharpness))
    if q.exposure < rules.min_exposure:
        fault = "too dark" if q.mean_luminance < 0.5 else "too bright"
        errors.append(
            FaceBadlyExposed(image=name, exposure=f"{q.exposure:.2f}, {fault}", allowed=rules.min_exposure)
        )
    turn = max(abs(q.yaw_deg), abs(q.pitch_deg) - rules.pitch_allowance_deg)
    if turn > rules.max_turn_deg:
        errors.append(FaceTurnedAway(image=name, angle_deg=round(turn), max_deg=round(rules.max_turn_deg)))
    if q.landmark_confidence < rules.min_landmark_confidence:
        errors.append(
            FaceLowConfidence(
                image=name, confidence=q.landmark_confidence, min_confidence=rules.min_landmark_confidence
            )
        )
    return errors
