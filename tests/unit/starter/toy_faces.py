"""A data set of flat drawn faces with all the ground truth of the renderer, for the small nets."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from starter.data.manifest import HELD_OUT_FROM, Sample, read_manifest
from starter.heads.parts import Part
from starter.heads.truth import LANDMARK_NAMES
from tests.unit.starter.samples import make_record

MOLE_PX = (112.5, 150.5)
EYES_PX = ((100, 110), (156, 110))
_SIZE = 256


def draw_face() -> tuple[np.ndarray, np.ndarray]:
    """RGB picture and part map of 256 px: an oval with eyes, lips and one mole."""
    rgb = np.full((_SIZE, _SIZE, 3), (60, 120, 200), np.uint8)
    parts = np.full((_SIZE, _SIZE), int(Part.BACKGROUND), np.uint8)
    shapes = [
        ((128, 135), (56, 75), (220, 180, 150), Part.SKIN),
        *((eye, (11, 6), (240, 240, 240), Part.SCLERA) for eye in EYES_PX),
        *((eye, (5, 5), (40, 60, 30), Part.IRIS) for eye in EYES_PX),
        ((128, 175), (20, 8), (190, 70, 80), Part.LIPS),
    ]
    for centre, axes, colour, part in shapes:
        cv2.ellipse(rgb, centre, axes, 0, 0, 360, colour, -1)
        cv2.ellipse(parts, centre, axes, 0, 0, 360, int(part), -1)
    cv2.circle(rgb, (112, 150), 2, (90, 60, 50), -1)
    return rgb, parts


def _truth() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    landmarks = np.column_stack(
        [rng.uniform(80, 176, len(LANDMARK_NAMES)), rng.uniform(80, 200, len(LANDMARK_NAMES))]
    )
    mole = {"kind": "mole", "px": MOLE_PX, "radius_px": 2.4, "visibility": 0, "at": [0, 7, 1]}
    lost = {"kind": "freckle", "px": [140.0, 150.0], "radius_px": 1.0, "visibility": 0, "at": [0.1, 7, 1]}
    hidden = {"kind": "scar", "px": [150.0, 160.0], "radius_px": 4.0, "visibility": 2, "at": [0.2, 7, 1]}
    return {
        "landmarks": landmarks.round(2).tolist(),
        "visibility": [0] * (len(LANDMARK_NAMES) - 1) + [2],
        "marks": [mole, lost, hidden],
        "box_px": [70, 80, 186, 196],
        "landmarks_px": {"left_eye": EYES_PX[0], "right_eye": EYES_PX[1], "nose": [128, 140]},
    }


def write_faces(folder: Path, views: int = 2) -> list[Sample]:
    """Two people to train on and one held out, `views` equal pictures each."""
    rgb, parts = draw_face()
    records = []
    for identity in (0, 1, HELD_OUT_FROM):
        for view in range(views):
            record = {**make_record(identity, view), **_truth(), "parts_full": f"{identity}/{view}.full.png"}
            stem = folder / str(identity) / str(view)
            stem.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(f"{stem}.jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
            cv2.imwrite(f"{stem}.full.png", parts)
            cv2.imwrite(f"{stem}.png", parts[1::2, 1::2])
            records.append(record)
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(record) for record in records) + "\n")
    return read_manifest(folder)
