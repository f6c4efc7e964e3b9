"""How embeddings are compared to tell the persons of one set apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.face_analysis.domain.faces import Floats, normalised


@dataclass(frozen=True, eq=False)
class IdentityMetric:
    """Cosine, after a shift and a linear map where a calibration gives them.

    Embedders spend much of their cosine on what all faces of a domain share, and on what changes between
    pictures of one person. Taking the domain's mean away and shrinking the directions in which one person
    varies (within-class covariance normalisation: Hatch, Kajarekar, Stolcke, Interspeech 2006) leaves what
    tells persons apart.
    """

    same_set_similarity: float
    """Mean similarity from which the photos of one set are left together. Whoever sends a set believes that
    it shows one person, so it is set where false refusals are few, not where both errors are equal."""
    centre: Floats | None = None
    """Shape (D,)."""
    projection: Floats | None = None
    """Shape (D, K), applied from the right."""
    name: str = ""
    """Of the calibration, as it stands behind the embedder's name; empty for the plain cosine."""

    def project(self, embeddings: Sequence[Floats]) -> Floats:
        """Unit rows, (n, K) float32, whose dot products are the similarities. n is at least 1."""
        rows = np.stack(list(embeddings)).astype(np.float64)
        if self.centre is not None:
            rows = rows - self.centre
        if self.projection is not None:
            rows = rows @ self.projection
        return normalised(rows)


def fit_metric(
    embeddings: npt.NDArray[np.floating],
    persons: npt.NDArray[np.integer],
    *,
    same_set_similarity: float,
    shrinkage: float = 1.0,
    name: str = "",
) -> IdentityMetric:
    """Calibrate on faces of known persons.

    Args:
        embeddings: (n, D), L2-normalised.
        persons: (n,), who each is; persons with one picture count for the mean alone.
        same_set_similarity: The threshold that goes with it, to be measured on other persons.
        shrinkage: Share of the mean within-person variance that is added to every direction, so that those
            in which few persons happened to vary are not blown up. Less of it tells renders apart better
            still, but portraits of a generator worse (README, "Figures").
        name: Of the calibration.
    """
    rows = np.asarray(embeddings, np.float64)
    scatter = np.zeros((rows.shape[1], rows.shape[1]))
    for person in np.unique(persons):
        own = rows[persons == person]
        deviations = own - own.mean(axis=0)
        scatter += deviations.T @ deviations
    scatter /= len(rows)
    scatter += shrinkage * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    variances, directions = np.linalg.eigh(scatter)
    # One global factor changes no cosine; it keeps the numbers near 1.
    projection = directions / np.sqrt(variances / variances.max())
    return IdentityMetric(
        same_set_similarity, rows.mean(axis=0).astype(np.float32), projection.astype(np.float32), name
    )
