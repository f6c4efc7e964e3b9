"""What lies over a face: known from its part map, else from its attributes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.fusion.domain.face import Face
from services.fusion.domain.structure import PartMap, mean_face

_HAT_SHARE = 0.02
BARE_PARTS = (*("skin", "lips", "brows", "sclera", "iris", "lashes", "teeth", "inside_mouth"),)
"""Parts of a face that a template may give and a candidate may take."""
BEARD = "beard"
_GLASSES_SHARE = 0.004
"""Share of the head's square from which glasses are believed: thin frames take twice as much."""


def wears_glasses(face: Face) -> bool:
    """Whether glasses of any kind lie over the eyes; False where nothing was said about them."""
    if face.parts is not None and "glasses" in face.parts.names:
        return bool(face.parts.share_of(("glasses",)).mean() > _GLASSES_SHARE)
    return face.attributes.get("glasses", "none") != "none"


def wears_hat(face: Face) -> bool:
    """Whether headwear shows; False where nothing was said about it."""
    return face.parts is not None and bool(face.parts.share_of(("headwear",)).mean() > _HAT_SHARE)


def seen_eyes(face: Face) -> float:
    """Share of the eyes or of the brows that nothing hides, the lesser; 1 without dense landmarks."""
    if face.dense is None:
        return 1.0
    seen = np.clip(face.dense.visibility, 0, 1)
    parts = (("left_eye", "right_eye"), ("left_brow", "right_brow"))
    return min(float(seen[mean_face().indices(*names)].mean()) for names in parts)


def has_beard(parts: PartMap) -> bool:
    """Whether the map shows a beard worth the name."""
    return bool(parts.share_of((BEARD,)).mean() > _GLASSES_SHARE)


def bare_face(parts: PartMap, *, with_beard: bool) -> npt.NDArray[np.bool_]:
    """(S, S): where the map shows the bare face, and its beard where asked for."""
    return parts.share_of((*BARE_PARTS, BEARD) if with_beard else BARE_PARTS)
