"""All checks that a face alone allows, without its picture."""

from __future__ import annotations

from services.fusion.domain.checks import Check, defect_check, sharpness_check, size_check
from services.fusion.domain.face import Face
from services.fusion.domain.part_checks import parts_check
from services.fusion.domain.pose import fit_pose
from services.fusion.domain.shape_checks import shape_checks


def face_checks(face: Face, *, min_face_px: float) -> list[Check]:
    """Of size, sharpness, shape, parts and defects; what the caller did not measure is left out."""
    checks = [size_check(face.size_px, min_face_px)]
    if face.sharpness is not None:
        checks.append(sharpness_check(face.sharpness))
    checks += [defect_check(kind, strength) for kind, strength in sorted(face.defects.items())]
    if face.dense is not None:
        pose = fit_pose(face.dense)
        checks += shape_checks(face.dense, pose)
        if face.parts is not None:
            checks.append(parts_check(face.parts, face.dense, pose))
    return checks
