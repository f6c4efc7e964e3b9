"""The finder of marks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from starter.data.marks import CROP_PX, exact_batch, face_matrix, training_batch
from starter.data.spots import Spots, is_shown
from starter.models.blocks import measure_norms
from starter.models.marks import CELL_PX, KINDS, FoundMark, MarkNet, read_marks
from starter.train.marks import heat_loss, total_loss
from starter.train.marks_figures import Answer, best_threshold, match, measure
from tests.unit.starter.toy_faces import MOLE_PX, write_faces


def _spots(*places: tuple[float, float], shown: tuple[bool, ...] | None = None) -> Spots:
    count = len(places)
    return Spots(
        np.zeros(count, np.int64),
        np.array(places, np.float32).reshape(-1, 2),
        np.full(count, 2.0, np.float32),
        np.array([True] * count if shown is None else shown),
    )


def _found(*places: tuple[float, float]) -> list[FoundMark]:
    return [FoundMark("mole", x, y, 2.0, 0.9) for x, y in places]


def test_a_batch_marks_the_cell_of_the_mole_and_ignores_what_is_not_seen(tmp_path: Path) -> None:
    sample = write_faces(tmp_path)[0]
    batch = exact_batch([sample])
    spots = batch.spots[0]
    assert spots.shown.tolist() == [True, False]  # the mole, the freckle without contrast; the scar is hidden
    matrix = face_matrix(sample)
    x, y = (matrix[:, :2] @ MOLE_PX + matrix[:, 2]) / CELL_PX
    assert np.argwhere(batch.is_mark[0, 0].numpy()).tolist() == [[int(y), int(x)]]
    assert batch.heat[0, 0, int(y), int(x)] == 1
    assert batch.heat[0, 1:].max() == 0
    assert batch.offset[0, :, int(y), int(x)].tolist() == pytest.approx([x % 1, y % 1], abs=1e-3)
    column, row = (spots.places[1] / CELL_PX).astype(int)
    assert batch.counts[0, 0, row, column] == 0
    assert batch.counts[0, 0, int(y), int(x)] == 1


def test_a_mark_is_shown_when_it_is_darker_than_the_skin_around_it() -> None:
    light = np.full((40, 40), 70, np.float32)
    light += np.random.default_rng(0).normal(0, 1, light.shape).astype(np.float32)
    assert not is_shown(light, (20, 20), 2)
    light[18:22, 18:22] -= 10
    assert is_shown(light, (20, 20), 2)
    assert not is_shown(light, (31, 31), 2)


def test_training_batches_add_marks_and_depend_on_the_seed_alone(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    first, again = (training_batch(samples, 6, np.random.default_rng(2)) for _ in range(2))
    assert torch.equal(first.images, again.images)
    assert max(len(spots.kinds) for spots in first.spots) > 2
    assert float(first.is_mark.sum()) == sum(spots.shown.sum() for spots in first.spots)


def test_heat_loss_wants_the_mark_found_and_nothing_else_but_where_nothing_counts() -> None:
    target, counts = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    target[0, 0, 2, 2] = 1
    right = torch.where(target == 1, 6.0, -6.0)
    invented = right.clone()
    invented[0, 0, 6, 6] = 6
    assert heat_loss(right, target, counts) < 0.01
    assert heat_loss(invented, target, counts) > 1
    assert heat_loss(-right, target, counts) > 1
    counts[0, 0, 6, 6] = 0
    assert heat_loss(invented, target, counts) < 0.01


def test_reading_returns_peaks_in_pixels_strongest_first() -> None:
    heat, offset = np.zeros((3, 8, 8), np.float32), np.full((2, 8, 8), 0.25, np.float32)
    heat[0, 2, 3], heat[2, 5, 6], heat[1, 0, 0] = 0.6, 0.9, 0.1
    found = read_marks(heat, offset, np.full((1, 8, 8), 1.5, np.float32), threshold=0.3)
    assert [(mark.kind, mark.x, mark.y) for mark in found] == [("scar", 12.5, 10.5), ("mole", 6.5, 4.5)]


def test_peaks_of_the_net_stand_alone() -> None:
    torch.manual_seed(0)
    net = MarkNet((8, 8, 8)).eval()
    with torch.no_grad():
        heat, offset, radius = net(torch.rand(1, 3, 64, 64))
    rows, columns = np.nonzero(heat[0].amax(0).numpy())
    apart = np.abs(rows[:, None] - rows) + np.abs(columns[:, None] - columns)
    assert len(rows) > 3
    assert ((heat[0] > 0).sum(0) <= 1).all()
    assert apart[~np.eye(len(rows), dtype=bool)].min() >= 2
    assert offset.shape == (1, 2, 32, 32)
    assert (radius > 0).all()


def test_matching_is_one_to_one_within_reach_and_leaves_faint_marks_out() -> None:
    truth = _spots((10, 10), (30, 30), (50, 50), shown=(True, True, False))
    counts = match(Answer(truth, _found((10.5, 10), (11, 10), (50, 50), (80, 80)), reach_px=2), 0.5)
    assert counts.pairs == [(0, 0)]
    assert (counts.true, counts.found) == (2, 3)


def test_the_net_learns_one_mole_and_is_measured_on_it(tmp_path: Path) -> None:
    samples = write_faces(tmp_path)
    torch.manual_seed(0)
    net, batch = MarkNet((16, 16, 16)), exact_batch(samples[:2])
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-2)
    for _ in range(40):
        optimizer.zero_grad()
        total_loss(net, batch).backward()
        optimizer.step()
    measure_norms(net, [batch.images])
    threshold = best_threshold(net, samples[:2])
    figures = measure(net, samples[-2:], threshold)
    assert figures["marks"] == 2
    assert figures["marks_too_faint_to_count"] == 2
    assert figures["recall"] == 1
    assert figures["precision"] == 1
    assert figures["place_error_percent"] < 3
    assert batch.images.shape[-1] == CROP_PX
    assert set(figures["recall_by_kind"]) == set(KINDS)
