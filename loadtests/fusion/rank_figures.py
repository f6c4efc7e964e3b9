"""Figures of the ranking, from the results of single people; pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.common.intervals import estimate
from loadtests.fusion.figures import Result, Results


def rank_figures(results: Results) -> dict[str, Any]:
    """Returns how like the first of our order is, by the judge, against chance, FaceChain and the best."""
    first = {
        number: picked(result, [v["index"] for v in result["ranking"]["ours"]])
        for number, result in results.items()
    }
    theirs = {number: picked(result, result["ranking"]["facechain"]) for number, result in results.items()}
    all_of = {number: similarities_of(result) for number, result in results.items()}
    best = {number: max(known.values()) for number, known in all_of.items() if known}
    mean = {number: float(np.mean(list(known.values()))) for number, known in all_of.items() if known}
    return {
        "beats_random": estimate({n: beaten(results[n], one) for n, one in first.items() if one is not None}),
        "facechain_beats_random": estimate(
            {n: beaten(results[n], one) for n, one in theirs.items() if one is not None}
        ),
        "over_facechain": estimate(_gaps(first, theirs, all_of)),
        "over_mean": estimate({n: [all_of[n][one] - mean[n]] for n, one in first.items() if one is not None}),
        "under_best": estimate(
            {n: [best[n] - all_of[n][one]] for n, one in first.items() if one is not None}
        ),
        "agreement": agreement(results),
        "accepted_share": estimate(
            {n: [float(v["rank"] > 0) for v in r["ranking"]["ours"]] for n, r in results.items()}
        ),
        "people_without": sum(all(v["rank"] == 0 for v in r["ranking"]["ours"]) for r in results.values()),
        "gate": float(np.mean([r["ranking"]["gate"] for r in results.values()])),
    }


def similarities_of(result: Result) -> dict[int, float]:
    """Returns the judge's similarity of each finished candidate that shows one face, by its index."""
    rows = {row["index"]: row["looks"]["finished"]["similarity"] for row in result["candidates"]}
    return {index: value for index, value in rows.items() if value is not None}


def picked(result: Result, order: Sequence[int]) -> int | None:
    """Returns the first of an order that shows one face."""
    known = similarities_of(result)
    return next((index for index in order if index in known), None)


def beaten(result: Result, index: int) -> list[float]:
    """Returns for each other candidate 1 where this one is more like the person, 0 where less, 1/2 on a tie.

    A candidate without exactly one face is beaten.
    """
    known = similarities_of(result)
    others = [row["index"] for row in result["candidates"] if row["index"] != index]
    return [
        1.0 if other not in known else float(np.heaviside(known[index] - known[other], 0.5))
        for other in others
    ]


def agreement(results: Results) -> dict[str, Any] | None:
    """Returns the rank correlation of our score with the judge's similarity within people (Spearman's rho).

    It bounds what any ranking by our embedder can reach in the eyes of the judge.
    """
    found = {}
    for number, result in results.items():
        scores = {verdict["index"]: verdict["score"] for verdict in result["ranking"]["ours"]}
        known = similarities_of(result)
        if len(known) >= 3:
            found[number] = [spearman([scores[index] for index in known], list(known.values()))]
    return estimate({number: value for number, value in found.items() if np.isfinite(value[0])})


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Returns the correlation of two lists' ranks, ties sharing theirs; NaN where one list is constant."""
    ranks = [_ranks(np.asarray(values, np.float64)) for values in (first, second)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    first_rank, second_rank = (rank - rank.mean() for rank in ranks)
    return float(first_rank @ second_rank / np.sqrt(first_rank @ first_rank * (second_rank @ second_rank)))


def _gaps(
    first: Mapping[int, int | None],
    second: Mapping[int, int | None],
    all_of: Mapping[int, Mapping[int, float]],
) -> dict[int, list[float]]:
    gaps = {}
    for number, one in first.items():
        other = second[number]
        if one is not None and other is not None:
            gaps[number] = [all_of[number][one] - all_of[number][other]]
    return gaps


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], np.float64)
