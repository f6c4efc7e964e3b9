"""Fits the identity metric to renders of known persons, and measures the gate that goes with it.

    python -m services.face_analysis.calibrate MANIFEST... --gate services/fusion/gates/MODEL.json

A manifest is a JSON Lines file with "identity" and "embedding" (dlib's, of any norm) per picture, as the
starter pack's renderer writes it. Three sets of persons: the metric is fitted to the first, the gate is
calibrated on the second, and both are measured on the held-out ones, whom nothing has seen.
"""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.face_analysis.adapters.calibration_file import DLIB_RENDERS, save_metric
from services.face_analysis.domain.faces import Floats, normalised
from services.face_analysis.domain.metric import IdentityMetric, fit_metric
from services.face_analysis.metric_figures import measure
from shared.gates import DEFAULT_RATE, Gate, write_gate
from shared.gates.calibration import calibrate as calibrate_gate
from shared.gates.calibration import measure as measure_gate
from shared.reports import Bar, write_report

_EMBEDDER = "dlib-resnet-v1"


def read_manifests(paths: Sequence[Path]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Unit embeddings (n, D) and the person of each."""
    records = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    embeddings = normalised(np.array([record["embedding"] for record in records]))
    return embeddings, np.array([record["identity"] for record in records], np.int64)


def main() -> None:
    """Fit, calibrate, measure on held-out persons; write the metric, the gate and the report."""
    options = _options()
    embeddings, persons = read_manifests(options.manifests)
    is_held_out, is_fitted = persons >= options.held_out_from, persons < options.gate_from
    for_gate = ~is_held_out & ~is_fitted
    metric = fit_metric(
        embeddings[is_fitted],
        persons[is_fitted],
        same_set_similarity=options.same_set,
        shrinkage=options.shrinkage,
        name=options.name,
    )
    plain = IdentityMetric(0.925)
    details: dict[str, object] = {"pictures": len(embeddings), "persons": len(np.unique(persons))}
    for label, chosen in (("held out", is_held_out), ("not fitted to", for_gate)):
        details[label] = vars(measure(metric, embeddings[chosen], persons[chosen]))
        details[f"{label}, plain cosine at .925"] = vars(measure(plain, embeddings[chosen], persons[chosen]))
    save_metric(metric, options.out, pictures=str(is_fitted.sum()), embedder=_EMBEDDER, data="renders")
    gate = calibrate_gate(
        metric.project(list(embeddings[for_gate])),
        persons[for_gate],
        model=f"{_EMBEDDER}+{options.name}",
        required_rate=DEFAULT_RATE,
        provenance={
            "data": "renders of 3D-character heads of the starter pack (CC0 assets); no photos of people",
            "made by": "python -m services.face_analysis.calibrate; no person of these fitted the metric",
        },
    )
    if options.gate is not None:
        write_gate(gate, options.gate)
    seen = _seen(gate, metric.project(list(embeddings[is_held_out])), persons[is_held_out])
    details["gate, held out"] = seen
    figures = measure(metric, embeddings[is_held_out], persons[is_held_out])
    bars = [
        Bar("clean sets with a refusal", figures.clean_sets_with_a_refusal, 0.05, "<="),
        Bar("strangers refused", figures.strangers_refused, 0.9, ">="),
        Bar("false accepts at 1e-3, 3 references", seen[DEFAULT_RATE][3]["false_accept_rate"], 0.003, "<="),
        Bar("false rejects at 1e-3, 3 references", seen[DEFAULT_RATE][3]["false_reject_rate"], 0.25, "<="),
    ]
    write_report("FACE_CALIBRATION", "python -m services.face_analysis.calibrate MANIFEST...", bars, details)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--gate-from", type=int, default=600, help="first identity that the gate is made of")
    parser.add_argument("--held-out-from", type=int, default=100_000, help="first identity never used")
    parser.add_argument("--name", default="renders-2", help="of the calibration, behind the embedder's name")
    parser.add_argument("--shrinkage", type=float, default=1.0, help="see domain/metric.py")
    parser.add_argument("--same-set", type=float, default=0.28, help="similarity that keeps a set together")
    parser.add_argument("--out", type=Path, default=DLIB_RENDERS, help="file of the metric")
    parser.add_argument("--gate", type=Path, help="file of the gate; without it none is written")
    return parser.parse_args()


def _seen(gate: Gate, rows: Floats, persons: npt.NDArray[np.int64]) -> dict[float, dict[int, dict[str, Any]]]:
    """By rate and number of references, what the thresholds do to other persons."""
    table: dict[float, dict[int, dict[str, Any]]] = {rate: {} for rate in gate.rates}
    for point in measure_gate(gate, rows, persons):
        values = dataclasses.asdict(point)
        table[point.rate][point.references] = {
            key: values[key] for key in values if key.startswith(("threshold", "false"))
        }
    return table


if __name__ == "__main__":
    main()
