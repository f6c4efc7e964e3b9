"""Which photos of a set are fit to train on. Pure rules; no image is touched here."""

import math
from collections.abc import Sequence

import numpy as np

from services.face_analysis.domain.backend import BackendInfo
from services.face_analysis.domain.faces import AttributeGuess, Face, cosine_similarity
from services.face_analysis.domain.identity import mean_embedding
from services.face_analysis.domain.photos import AnalyzedPhoto
from services.face_analysis.domain.relations import refuse_strangers, warn_of_duplicates
from services.face_analysis.domain.rules import CurationRules, main_face, quality_errors
from services.face_analysis.domain.verdicts import CurationReport, PhotoVerdict, Remark
from services.face_analysis.errors import NoFaceFound, SeveralFaces
from shared.errors import LikenessError


def curate(photos: Sequence[AnalyzedPhoto], info: BackendInfo, rules: CurationRules) -> CurationReport:
    """Judge a set of photos that should show one person. Never raises because of a photo.

    Each photo is judged alone first; those that pass are grouped by person, and those outside of the
    largest group are refused as DIFFERENT_PERSON. Where two groups are equally large nobody can say whose
    set it is: the photos of all groups are refused, each naming the other side.
    """
    verdicts = tuple(_judge_alone(photo, info, rules) for photo in photos)
    refuse_strangers([v for v in verdicts if v.is_accepted], info)
    warn_of_duplicates(photos, verdicts, rules)
    accepted = [v.face for v in verdicts if v.is_accepted and v.face is not None]
    if not accepted:
        return CurationReport(verdicts, None, {}, -1)
    mean = mean_embedding([face.embedding for face in accepted])
    for verdict in verdicts:
        if verdict.face is not None:
            verdict.similarity_to_set = cosine_similarity(verdict.face.embedding, mean)
    return CurationReport(verdicts, mean, vote(accepted), best_template(verdicts))


def vote(faces: Sequence[Face]) -> dict[str, AttributeGuess]:
    """The probabilities of each trait, averaged over the faces: a photo that is sure counts for more.

    FaceChain sums the scores of its age and sex classifier over the photos in the same way.
    """
    traits = sorted({trait for face in faces for trait in face.attributes})
    result = {}
    for trait in traits:
        guesses = [face.attributes[trait] for face in faces if trait in face.attributes]
        labels = guesses[0].scores
        result[trait] = AttributeGuess({k: float(np.mean([g.scores[k] for g in guesses])) for k in labels})
    return result


def best_template(verdicts: Sequence[PhotoVerdict]) -> int:
    """Position of the accepted photo with the largest product of quality, frontality and typicality."""
    scores = [_template_score(v, v.face) if v.is_accepted and v.face else -1.0 for v in verdicts]
    return int(np.argmax(scores)) if scores and max(scores) >= 0 else -1


def _judge_alone(photo: AnalyzedPhoto, info: BackendInfo, rules: CurationRules) -> PhotoVerdict:
    verdict = PhotoVerdict(photo.name)
    if isinstance(photo.outcome, LikenessError):
        verdict.refusals.append(Remark.from_error(photo.outcome))
        return verdict
    verdict.rotation_deg = photo.outcome.rotation_deg
    verdict.face = photo.outcome.faces[0] if photo.outcome.faces else None
    try:
        face = main_face(photo.outcome, photo.name, info, rules.min_area_ratio)
    except (NoFaceFound, SeveralFaces) as error:
        verdict.refusals.append(Remark.from_error(error))
        return verdict
    verdict.refusals += [Remark.from_error(error) for error in quality_errors(photo.name, face, rules)]
    return verdict


def _template_score(verdict: PhotoVerdict, face: Face) -> float:
    facing = math.cos(math.radians(face.quality.yaw_deg))
    return face.quality.overall * facing * max(0.0, verdict.similarity_to_set)
