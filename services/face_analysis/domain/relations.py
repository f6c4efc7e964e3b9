"""What photos of a set are to one another: other persons, or the same photo twice."""

from collections.abc import Sequence

import numpy as np

from services.face_analysis.domain.backend import BackendInfo
from services.face_analysis.domain.faces import Face, cosine_similarity
from services.face_analysis.domain.identity import IdentityGroups, group_by_person
from services.face_analysis.domain.photos import AnalyzedPhoto
from services.face_analysis.domain.rules import CurationRules
from services.face_analysis.domain.verdicts import PhotoVerdict, Remark
from services.face_analysis.errors import DifferentPerson


def refuse_strangers(verdicts: Sequence[PhotoVerdict], info: BackendInfo) -> None:
    """Add DIFFERENT_PERSON to those verdicts, all accepted so far, that are not of the majority's person."""
    faces = [v.face for v in verdicts if v.face is not None]
    if not faces:
        return
    threshold = info.metric.same_set_similarity
    rows = info.metric.project([face.embedding for face in faces])
    groups = group_by_person(list(rows), threshold)
    for group in groups.groups:
        if group == groups.reference:
            continue
        rival = _rival_of(group, groups)
        for i in group:
            similarity = float(np.mean([cosine_similarity(rows[i], rows[j]) for j in rival]))
            error = DifferentPerson(image=verdicts[i].name, similarity=similarity, min_similarity=threshold)
            verdicts[i].refusals.append(_stranger_remark(error, [verdicts[j].name for j in rival], groups))


def _rival_of(group: tuple[int, ...], groups: IdentityGroups) -> tuple[int, ...]:
    """The group that a stranger is measured against: the reference, or in a tie the other side."""
    return groups.reference or next(other for other in groups.groups if other != group)


def _stranger_remark(error: DifferentPerson, rivals: list[str], groups: IdentityGroups) -> Remark:
    names = ", ".join(rivals)
    if groups.is_tied:
        addition = f"No person is in the majority: the other side is {names}."
    else:
        addition = f"The set was taken to be of the person in {names}."
    return Remark.from_error(error, addition, reference=names)


def warn_of_duplicates(
    photos: Sequence[AnalyzedPhoto], verdicts: Sequence[PhotoVerdict], rules: CurationRules
) -> None:
    """Add DUPLICATE_PHOTO to every verdict whose photo came before: the same file, or the same picture."""
    for i, verdict in enumerate(verdicts):
        for j in range(i):
            is_same_file = photos[i].sha256 != "" and photos[i].sha256 == photos[j].sha256
            if is_same_file or _are_duplicates(verdict.face, verdicts[j].face, rules.duplicate_similarity):
                verdict.warnings.append(_duplicate_remark(verdict.name, verdicts[j].name))
                break


def _are_duplicates(face: Face | None, earlier: Face | None, similarity: float) -> bool:
    if face is None or earlier is None:
        return False
    return cosine_similarity(face.embedding, earlier.embedding) >= similarity


def _duplicate_remark(name: str, earlier: str) -> Remark:
    message = f"{name} is the same photo as {earlier}. Training counts it twice; send it once."
    return Remark("DUPLICATE_PHOTO", message, {"image": name, "duplicate_of": earlier})
