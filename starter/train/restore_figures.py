"""Measures the restoring nets on held-out portraits: what they win, and whether the person stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from starter.data.pixels import to_bytes
from starter.data.restoration import as_planes
from starter.heads.faces import FaceReader
from starter.models.restore import Clipped, RestoreNet

Image = NDArray[np.uint8]


def psnr_db(ours: Sequence[Image], theirs: Sequence[Image]) -> float:
    """Peak signal-to-noise ratio over all pictures together."""
    errors = [np.square(a.astype(np.float32) - b).mean() for a, b in zip(ours, theirs, strict=True)]
    return float(10 * np.log10(255**2 / max(1e-9, float(np.mean(errors)))))


@torch.no_grad()
def restored(net: RestoreNet, images: Sequence[Image], batch: int = 8) -> list[Image]:
    """The net's answers to uint8 (H, W, 3) pictures of one size."""
    shipped = Clipped(net).eval()
    answers: list[Tensor] = []
    for start in range(0, len(images), batch):
        planes = as_planes(torch.from_numpy(np.stack(images[start : start + batch])))
        answers.append(to_bytes(shipped(planes) * 2 - 1))
    return list(torch.cat(answers).permute(0, 2, 3, 1).contiguous().numpy())


def likeness(clean: Sequence[Image], before: Sequence[Image], after: Sequence[Image]) -> dict[str, Any]:
    """Cosines of dlib's embeddings to those of the clean pictures, before and after restoring.

    Pictures in which dlib finds no face in one of the three versions are left out.
    """
    reader = FaceReader()
    rows = []
    for trio in zip(clean, before, after, strict=True):
        faces = [reader.read(image) for image in trio]
        if all(faces):
            truth, *others = (f[0].embedding / np.linalg.norm(f[0].embedding) for f in faces)
            rows.append([float(truth @ other) for other in others])
    cosines = np.array(rows).reshape(-1, 2)
    if not len(cosines):
        return {"faces": 0}
    return {
        "faces": len(cosines),
        "cosine_before": round(float(cosines[:, 0].mean()), 4),
        "cosine_after": round(float(cosines[:, 1].mean()), 4),
        "share_not_lowered_by_more_than_.01": round(float((cosines[:, 1] > cosines[:, 0] - 0.01).mean()), 3),
    }
