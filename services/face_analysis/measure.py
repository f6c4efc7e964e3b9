"""Measures landmarks, pose and the photo rules on renders: python -m services.face_analysis.measure FOLDER.

FOLDER holds manifest*.jsonl as the starter pack's renderer writes them, and the pictures they name.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.face_analysis.adapters.dlib_backend import DlibBackend
from services.face_analysis.domain.faces import Face, Rgb
from services.face_analysis.domain.rules import CurationRules, quality_errors
from services.face_analysis.engine.analyzer import FaceAnalyzer
from shared.images import decode_image
from shared.reports import Bar, write_report

_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def blurred(share_of_face: float) -> Callable[[Rgb, Face], Rgb]:
    """A Gaussian blur with a sigma of this share of the face's box."""

    def spoil(rgb: Rgb, face: Face) -> Rgb:
        import cv2

        return np.asarray(cv2.GaussianBlur(rgb, (0, 0), share_of_face * face.quality.size_px), np.uint8)

    return spoil


def exposed(gain: float) -> Callable[[Rgb, Face], Rgb]:
    """The light times *gain*, clipped."""
    return lambda rgb, face: np.clip(rgb * gain, 0, 255).astype(np.uint8)


SPOILERS: dict[str, Callable[[Rgb, Face], Rgb]] = {
    "as rendered": lambda rgb, face: rgb,
    "blurred by 0.8 % of the face": blurred(0.008),
    "blurred by 2.3 % of the face": blurred(0.023),
    "blurred by 3.1 % of the face": blurred(0.031),
    "a quarter of the light": exposed(0.25),
    "a tenth of the light": exposed(0.1),
    "twice the light": exposed(2.0),
}


def main() -> None:
    """Measure on held-out persons and write the report FACE_QUALITY."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from-identity", type=int, default=100_000, help="first identity measured on")
    parser.add_argument("--count", type=int, default=60, help="pictures at most")
    options = parser.parse_args()
    records = list(read_records(options.folder, options.from_identity))[: options.count]
    analyzer = FaceAnalyzer(DlibBackend(), tries_rotations=False)
    found: list[tuple[dict[str, Any], Face]] = []
    reasons: dict[str, Counter[str]] = {name: Counter() for name in SPOILERS}
    for record in records:
        rgb = decode_image((options.folder / record["file"]).read_bytes(), name=record["file"])
        faces = analyzer.analyze(rgb)
        if not faces:
            continue
        found.append((record, faces[0]))
        for name, spoil in SPOILERS.items():
            verdict = first_reason(analyzer.analyze(spoil(rgb, faces[0])))
            reasons[name][verdict] += 1
    details: dict[str, Any] = {"pictures": len(records), "with a face": len(found)}
    details |= landmark_errors(found) | pose_errors(found)
    details["verdicts"] = {name: dict(count) for name, count in reasons.items()}
    accepted = reasons["as rendered"]["accepted"] / len(found)
    blurry = reasons["blurred by 3.1 % of the face"]["accepted"] / len(found)
    bars = [
        Bar("accepted as rendered", accepted, 0.95, ">="),
        Bar("accepted though blurred", blurry, 0.05, "<="),
    ]
    write_report("FACE_QUALITY", "python -m services.face_analysis.measure FOLDER", bars, details)


def read_records(folder: Path, from_identity: int) -> Iterable[dict[str, Any]]:
    """The manifests' records of the persons wanted."""
    for path in sorted(folder.glob("manifest*.jsonl")):
        records = (json.loads(line) for line in path.read_text("utf-8").splitlines())
        yield from (record for record in records if record["identity"] >= from_identity)


def first_reason(faces: list[Face]) -> str:
    """What the rules say of a picture's largest face, in one word."""
    if not faces:
        return "NO_FACE_FOUND"
    errors = quality_errors("picture", faces[0], CurationRules())
    return errors[0].reason.value if errors else "accepted"


def landmark_errors(found: list[tuple[dict[str, Any], Face]]) -> dict[str, dict[str, float]]:
    """Mean distance of each landmark to the truth, as a share of the true eye distance."""
    truth = np.array([[record["landmarks_px"][name] for name in _POINTS] for record, _ in found])
    seen = np.array([face.landmarks_px for _, face in found])
    eyes = np.linalg.norm(truth[:, 1] - truth[:, 0], axis=1)[:, None]
    errors = (np.linalg.norm(seen - truth, axis=2) / eyes).mean(axis=0)
    return {"landmark errors": {name: round(float(e), 3) for name, e in zip(_POINTS, errors, strict=True)}}


def pose_errors(found: list[tuple[dict[str, Any], Face]]) -> dict[str, dict[str, list[float]]]:
    """Mean and 95th percentile of the absolute error of yaw, pitch and roll in degrees."""
    # The renderer's pitch looks down and its roll turns the other way.
    truth = np.array([(r["yaw"], -r["pitch"], -r["roll"]) for r, _ in found])
    seen = np.array([(f.quality.yaw_deg, f.quality.pitch_deg, f.quality.roll_deg) for _, f in found])
    errors: npt.NDArray[np.float64] = np.abs(seen - truth)
    figures = np.stack([errors.mean(axis=0), np.percentile(errors, 95, axis=0)], axis=1).round(1)
    return {"pose errors": dict(zip(("yaw", "pitch", "roll"), figures.tolist(), strict=True))}


if __name__ == "__main__":
    main()
