"""FaceChain's ranking of candidates, as a baseline (FaceChain v2.0.0, facechain/inference.py, step 7).

One reference, the one of the best quality, stands for the person. Candidates must show exactly one face whose
longer side lies strictly between 120 and 300 px of their 512 px pictures; those are ordered by the cosine to
that reference. There is no gate: the first of twenty strangers leaves like the first of twenty likenesses.
Where nothing is left, so is FaceChain ("Generation failed, please retry").

FaceChain has its own embedder (RTS) and quality net (FQA); here both rankings get the same ones, and the
limits go with the size of the pictures, so that they differ in nothing but the method.
"""

from collections.abc import Sequence

import numpy as np
from likeness.common.v1 import face_pb2
from numpy.typing import NDArray

from loadtests.common.services import Seen
from shared.images import upright_size

MIN_FACE_SHARE, MAX_FACE_SHARE = 120 / 512, 300 / 512
"""Of the longer side of the picture."""


def facechain_order(candidates: Sequence[Seen], references: Sequence[Seen]) -> list[int]:
    """Returns positions of *candidates*, the best first; those that its filter drops are left out.

    Raises:
        ValueError: no reference shows exactly one face.
    """
    template = _direction(template_face(references))
    scored = [
        (float(_direction(seen.only) @ template), position)
        for position, seen in enumerate(candidates)
        if seen.only is not None and MIN_FACE_SHARE < face_share(seen) < MAX_FACE_SHARE
    ]
    return [position for _, position in sorted(scored, key=lambda pair: (-pair[0], pair[1]))]


def template_face(references: Sequence[Seen]) -> face_pb2.Face:
    """Returns the face of the best quality; the first of equal ones."""
    faces = [seen.only for seen in references if seen.only is not None]
    if not faces:
        raise ValueError("no reference shows exactly one face")
    return max(faces, key=_quality)


def face_share(seen: Seen) -> float:
    """Returns the longer side of the only face's box, as a share of the longer side of the picture."""
    assert seen.only is not None, "asked for pictures with one face"
    box = seen.only.box
    return max(box.x1 - box.x0, box.y1 - box.y0) / max(upright_size(seen.data, name="candidate"))


def _quality(face: face_pb2.Face) -> float:
    return face.quality.judged if face.quality.HasField("judged") else face.quality.overall


def _direction(face: face_pb2.Face) -> NDArray[np.float64]:
    """The unit vector that faces are compared by."""
    compared = face.comparison_embedding if face.HasField("comparison_embedding") else face.embedding
    vector = np.array(compared.values, np.float64)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))
