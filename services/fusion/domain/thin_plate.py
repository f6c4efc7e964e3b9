"""A smooth function of the plane through scattered values, or near them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ThinPlate:
    """A thin plate bent by its control points (Bookstein, "Principal warps", 1989).

    Attributes:
        control: (N, 2) places.
        coefficients: (N + 3, K) of the kernels, of 1, x and y.
    """

    control: Points
    coefficients: Points

    @classmethod
    def fit(cls, control: Points, values: Points, softness: Points | float) -> ThinPlate:
        """The plate near *values* (N, K) at *control* (N, 2).

        Args:
            control: places; their extent should be about 1.
            values: what the plate is to reach there.
            softness: 0 meets the values; more lets the plate stay smooth (Wahba, "Spline models for
                observational data", 1990). One for all points or (N,).
        """
        n = len(control)
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = _kernel(control, control)
        system[np.arange(n), np.arange(n)] += softness
        system[:n, n] = system[n, :n] = 1.0
        system[:n, n + 1 :], system[n + 1 :, :n] = control, control.T
        solved = np.linalg.solve(system, np.vstack([values, np.zeros((3, values.shape[1]))]))
        return cls(control, np.asarray(solved, np.float64))

    def __call__(self, places: Points) -> Points:
        """The values (M, K) at *places* (M, 2)."""
        n = len(self.control)
        bent = _kernel(places, self.control) @ self.coefficients[:n]
        return np.asarray(bent + self.coefficients[n] + places @ self.coefficients[n + 1 :])


def _kernel(places: Points, control: Points) -> Points:
    """r^2 log r of all pairs, with one matrix product for the distances."""
    squares = (places**2).sum(1)[:, None] + (control**2).sum(1) - 2 * places @ control.T
    squares = np.maximum(squares, 1e-12)
    return np.asarray(0.5 * squares * np.log(squares))
