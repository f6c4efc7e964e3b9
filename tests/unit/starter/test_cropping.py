"""Crops of pictures, part maps and points."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from starter.data.cropping import Jitter, box_crop, cut, cut_parts, jittered, move, scale_of
from starter.data.headcrop import crop_head
from starter.data.portraits import read_parts, read_rgb
from starter.heads.parts import Part
from tests.unit.starter.toy_faces import EYES_PX, write_faces

EYES = np.array(EYES_PX, np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_points_part_map_and_picture_move_together(tmp_path: Path, seed: int) -> None:
    sample = write_faces(tmp_path)[0]
    jitter = Jitter(shift=0.05, turn=0.3, zoom=0.1, mirrored=0.5)
    matrix, _ = jittered(box_crop(sample.box_px, 160, 1.6), 160, jitter, np.random.default_rng(seed))
    image, parts = cut(read_rgb(sample), matrix, 160), cut_parts(read_parts(sample), matrix, 160)
    for x, y in move(EYES, matrix).astype(int):
        assert parts[y, x] == Part.IRIS
        assert image[y, x].max() < 110
        found = np.argwhere(parts == Part.IRIS)
        assert np.abs(found - (y, x)).sum(1).min() == 0


def test_part_maps_of_half_and_full_size_agree(tmp_path: Path) -> None:
    sample = write_faces(tmp_path)[0]
    matrix = box_crop(sample.box_px, 160, 2.2)
    full = cut_parts(read_parts(sample), matrix, 160)
    half = cut_parts(read_parts(replace(sample, parts_full=None)), matrix, 160)
    assert (full == half).mean() > 0.97
    for part in (Part.SKIN, Part.IRIS, Part.LIPS):
        centres = [np.argwhere(parts == part).mean(0) for parts in (full, half)]
        assert np.abs(centres[0] - centres[1]).max() < 0.3


def test_an_exact_crop_is_the_crop_of_the_rule(tmp_path: Path) -> None:
    sample = write_faces(tmp_path)[0]
    rgb = read_rgb(sample)
    ours = cut(rgb, box_crop(sample.box_px, 128, 2.2), 128).astype(int)
    rule = crop_head(rgb, sample.box_px, 128, 2.2).astype(int)
    assert np.abs(ours - rule).mean() < 2


def test_mirroring_keeps_the_scale() -> None:
    matrix = box_crop((50, 60, 150, 160), 160, 2.0)
    moved, mirrored = jittered(matrix, 160, Jitter(0, 0, 0, 0, mirrored=1), np.random.default_rng(0))
    assert mirrored
    assert scale_of(moved) == pytest.approx(scale_of(matrix)) == pytest.approx(0.8)
    left, right = move(EYES, matrix), move(EYES, moved)
    assert np.allclose(left[:, 0] + right[:, 0], 160, atol=1e-3)
    assert np.allclose(left[:, 1], right[:, 1], atol=1e-3)
