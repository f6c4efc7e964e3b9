"""Manifests, part weights and head crops."""

from pathlib import Path

import numpy as np
import pytest
import torch

from starter.data.headcrop import crop_head
from starter.data.manifest import HELD_OUT_FROM, held_out_part, parse_record, read_manifest, training_part
from starter.data.parts import Part, loss_weights, weight_table
from starter.data.pixels import to_bytes, to_unit
from tests.unit.starter.samples import make_record, write_data_set


def test_manifest_skips_a_line_that_is_still_being_written(tmp_path: Path) -> None:
    write_data_set(tmp_path)
    with (tmp_path / "manifest.jsonl").open("a") as file:
        file.write('{"identity": 9, "vi')
    assert [(s.identity, s.view) for s in read_manifest(tmp_path)] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_empty_folder_names_the_command_that_fills_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="starter render"):
        read_manifest(tmp_path)


def test_held_out_identities_are_never_in_the_training_part() -> None:
    samples = [parse_record(make_record(identity), Path()) for identity in (0, HELD_OUT_FROM)]
    assert [s.identity for s in training_part(samples)] == [0]
    assert [s.identity for s in held_out_part(samples)] == [HELD_OUT_FROM]


def test_weights_grow_over_the_rim_of_an_eye() -> None:
    parts = torch.full((1, 16, 16), int(Part.SKIN), dtype=torch.uint8)
    parts[0, 8, 8] = int(Part.IRIS)
    weights = loss_weights(parts, weight_table(eyes=4, features=2, face=1, rest=0.5), size=16, grow=1)
    assert weights.shape == (1, 1, 16, 16)
    assert int((weights == 4).sum()) == 9


def test_pixels_survive_the_way_to_unit_range_and_back() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(values)), values)


def test_head_crop_repeats_the_edge_outside_the_photo() -> None:
    photo = np.full((100, 100, 3), 50, np.uint8)
    photo[:, :, 0] = 200
    crop = crop_head(photo, (60, 60, 99, 99), 128)
    assert crop.shape == (128, 128, 3)
    assert (crop == photo[0, 0]).all()


def test_a_record_from_before_hats_and_dense_landmarks_still_reads() -> None:
    sample = parse_record(make_record(), Path())
    assert sample.attributes["hat"] == "none"
    assert sample.clothes["cut"] == "t-shirt"
    assert sample.landmarks.shape == (0, 2)
    assert sample.marks == ()
    assert sample.depth is None


def test_a_new_record_brings_landmarks_marks_and_maps() -> None:
    mole = {"kind": "mole", "px": [100.5, 90.25], "radius_px": 2.1, "visibility": 2, "at": [0.3, 6.9, 1.4]}
    more = {"landmarks": [[1, 2], [3, 4]], "visibility": [0, 1], "marks": [mole], "depth": "3/0.depth.png"}
    sample = parse_record(
        {**make_record(), **more, "looks": {"render": "3/0.jpg", "ink": "3/0.ink.jpg"}}, Path("d")
    )
    assert sample.landmarks.tolist() == [[1, 2], [3, 4]]
    assert sample.visibility.tolist() == [0, 1]
    assert not sample.marks[0].is_visible
    assert sample.marks[0].px == (100.5, 90.25)
    assert sample.depth == Path("d/3/0.depth.png")
    assert sample.looks["ink"] == Path("d/3/0.ink.jpg")
