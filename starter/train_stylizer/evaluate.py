"""How well the exported file draws characters that it never saw."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from shared.threads import ort_session_options
from starter.train_stylizer.backgrounds import Image
from starter.train_stylizer.pairs import Pair


def draw(session: Any, image: Image) -> Image:
    """The net's drawing of a picture whose sides are multiples of 16."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None].astype(np.float32) / 255.0)
    out = session.run(None, {"image": planes})[0][0].transpose(1, 2, 0)
    return np.asarray(out * 255 + 0.5, np.uint8)


def evaluate(path: Path, pairs: Sequence[Pair], *, sheet: Path | None = None) -> dict[str, float | int]:
    """Mean absolute error (8-bit levels) and PSNR to the target, beside the plain render's, and the time.

    Args:
        path: the .onnx file.
        pairs: held out.
        sheet: where to write a picture of render, drawing and target of the first ones.
    """
    session = onnxruntime.InferenceSession(
        str(path), ort_session_options(2), providers=["CPUExecutionProvider"]
    )
    errors, before, times, rows = [], [], [], []
    for pair in pairs:
        began = time.perf_counter()
        drawn = draw(session, pair.render)
        times.append(time.perf_counter() - began)
        errors.append(_mean_error(drawn, pair.drawing))
        before.append(_mean_error(pair.render, pair.drawing))
        rows.append(np.vstack([pair.render, drawn, pair.drawing]))
    if sheet is not None:
        cv2.imwrite(str(sheet), np.hstack(rows[:10])[..., ::-1])
    return {
        "pairs_held_out": len(pairs),
        "mean_error_levels": round(float(np.mean([e[0] for e in errors])), 2),
        "mean_error_levels_of_the_render": round(float(np.mean([e[0] for e in before])), 2),
        "psnr_db": round(float(np.mean([e[1] for e in errors])), 2),
        "psnr_db_of_the_render": round(float(np.mean([e[1] for e in before])), 2),
        "median_ms_at_256_px_2_threads": round(1e3 * float(np.median(times)), 1),
    }


def _mean_error(made: Image, target: Image) -> tuple[float, float]:
    difference = made.astype(np.float32) - target
    mse = float((difference**2).mean())
    return float(np.abs(difference).mean()), 10 * float(np.log10(255**2 / max(mse, 1e-6)))
