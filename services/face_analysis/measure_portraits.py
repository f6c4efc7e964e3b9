"""Measures metrics and their gates on portraits.

    python -m services.face_analysis.measure_portraits MANIFEST FOLDER

The metric is fitted, and its gate calibrated, on renders alone; this says what they are worth on what a
generator makes. FOLDER holds one folder for each person, named by the number in the manifest, as
`likeness portrait ... --out FOLDER/100000` leaves it. Three renders of each person of the
manifest's held-out ones are the references.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from services.face_analysis.adapters.dlib_backend import DlibBackend
from services.face_analysis.calibrate import read_manifests
from services.face_analysis.domain.faces import Floats
from services.face_analysis.domain.metric import IdentityMetric, fit_metric
from shared.gates import DEFAULT_RATE, RATES
from shared.gates.calibration import calibrate
from shared.images import decode_image

_REFERENCES = 3
_SHRINKAGES = (0.1, 0.3, 1.0, 3.0)
_SHOWN_RATES = RATES[:3]


def main() -> None:
    """Print who is let in at three rates, by the plain cosine and by metrics of several shrinkages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gate-from", type=int, default=600, help="first identity that gates are made of")
    parser.add_argument("--held-out-from", type=int, default=100_000, help="first identity never used")
    options = parser.parse_args()
    embeddings, persons = read_manifests([options.manifest])
    fitted, held_out = persons < options.gate_from, persons >= options.held_out_from
    portraits, shown = embed_portraits(options.folder)
    numbers = [np.flatnonzero(persons == p)[:_REFERENCES] for p in np.unique(persons[held_out])]
    chosen = np.concatenate(numbers)
    own = shown[:, None] == np.unique(persons[held_out])
    table = Table(title=f"{len(portraits)} portraits of {len(np.unique(shown))} people: own / strangers in")
    for heading in ("metric", *(f"at {rate:g}" for rate in _SHOWN_RATES)):
        table.add_column(heading)
    for name, metric in metrics_of(embeddings[fitted], persons[fitted]).items():
        rest = ~fitted & ~held_out
        rows = metric.project(list(embeddings[rest]))
        gate = calibrate(rows, persons[rest], model=name, required_rate=DEFAULT_RATE)
        best = best_similarities(metric, portraits, embeddings[chosen], persons[chosen])
        let_in = [best >= gate.for_(_REFERENCES, rate).threshold for rate in _SHOWN_RATES]
        table.add_row(name, *(f"{one[own].mean():.0%} / {one[~own].mean():.2%}" for one in let_in))
    Console().print(table)


def metrics_of(embeddings: Floats, persons: npt.NDArray[np.int64]) -> dict[str, IdentityMetric]:
    """The plain cosine, and a metric for every shrinkage, by name."""
    metrics = {"plain cosine": IdentityMetric(0.9)}
    for shrinkage in _SHRINKAGES:
        metrics[f"shrinkage {shrinkage:g}"] = fit_metric(
            embeddings, persons, same_set_similarity=0.4, shrinkage=shrinkage
        )
    return metrics


def embed_portraits(folder: Path) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Embeddings of the largest face of every candidate below a folder, and the person of each."""
    backend, rows, shown = DlibBackend(), [], []
    for path in sorted(folder.glob("*/**/candidate*.png")):
        rgb = decode_image(path.read_bytes(), name=path.name)
        found = backend.detect(rgb)[:1]
        if found:
            rows.append(backend.embed(rgb, found)[0])
            shown.append(int(path.relative_to(folder).parts[0]))
    return np.stack(rows), np.array(shown, np.int64)


def best_similarities(
    metric: IdentityMetric, portraits: Floats, references: Floats, persons: npt.NDArray[np.int64]
) -> Floats:
    """(portraits, people): each portrait's best similarity to the references of each person."""
    similarities = metric.project(list(portraits)) @ metric.project(list(references)).T
    people = [similarities[:, persons == person].max(axis=1) for person in np.unique(persons)]
    best: Floats = np.stack(people, axis=1)
    return best


if __name__ == "__main__":
    main()
