"""One look for the plots of all benchmarks."""

from typing import Any

COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#6d6875", "#66a182")


def figure(rows: int, columns: int) -> tuple[Any, list[list[Any]]]:
    """Returns an empty figure and its axes by row and column.

    matplotlib is in the extra "bench": only benchmarks draw.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(
        rows, columns, figsize=(4.2 * columns, 3.2 * rows), dpi=120, squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.grid(alpha=0.3)
    return drawing, [list(row) for row in axes]
