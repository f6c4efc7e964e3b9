"""A packed structure net can be trained further."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from starter.data.structure import HEAD_PX
from starter.heads.truth import LANDMARK_NAMES
from starter.models.blocks import measure_norms
from starter.models.structure import StructureNet
from starter.train import parser, structure
from starter.train.structure import PARTS, export
from starter.train.structure_start import start_from
from tests.unit.starter.toy_faces import write_faces

WIDTHS = (8, 8, 8, 8)


def _net(seed: int, widths: tuple[int, int, int, int] = WIDTHS) -> StructureNet:
    torch.manual_seed(seed)
    return StructureNet(len(PARTS), len(LANDMARK_NAMES), widths)


@pytest.fixture
def packed(tmp_path: Path) -> tuple[StructureNet, Path]:
    """A net whose normalisations are not trivial, and the folder it is packed in."""
    net = _net(1)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    measure_norms(net, [torch.rand(4, 3, HEAD_PX, HEAD_PX)])
    export(net, {}, tmp_path)
    return net, tmp_path


@torch.no_grad()
def test_it_answers_as_the_packed_one(packed: tuple[StructureNet, Path]) -> None:
    old, folder = packed
    new = _net(2)
    images = torch.rand(3, 3, HEAD_PX, HEAD_PX)
    start_from(new, folder, torch.rand(4, 3, HEAD_PX, HEAD_PX))
    parts, places, _ = new.eval()(images)
    expected_parts, expected_places, _ = old.eval()(images)
    # The file holds half precision.
    assert float((parts - expected_parts).abs().max()) < 0.02 * float(expected_parts.abs().max())
    assert float((places - expected_places).abs().max()) < 2e-3


@torch.no_grad()
def test_it_also_does_so_in_training_on_the_pictures_it_was_settled_on(
    packed: tuple[StructureNet, Path],
) -> None:
    _, folder = packed
    new, images = _net(3), torch.rand(4, 3, HEAD_PX, HEAD_PX)
    start_from(new, folder, images)
    expected = new.eval()(images)[0]
    answer = new.train()(images)[0]
    np.testing.assert_allclose(answer, expected, atol=1e-3 * float(expected.abs().max()))


def test_a_net_of_other_widths_is_refused(packed: tuple[StructureNet, Path]) -> None:
    with pytest.raises(ValueError, match="other widths"):
        start_from(_net(4, (8, 8, 8, 16)), packed[1], torch.rand(2, 3, HEAD_PX, HEAD_PX))


def test_a_run_goes_on_from_its_checkpoint_whatever_start_is_named_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (structure, parser):
        monkeypatch.setattr(module, "RECIPE", replace(module.RECIPE, batch=2))
        monkeypatch.setattr(module, "NORM_BATCHES", 1)
    monkeypatch.setattr(structure, "START_ROWS", 2)
    write_faces(tmp_path / "data")
    runs = tmp_path / "runs"
    with pytest.raises(FileNotFoundError):
        structure.train(tmp_path / "data", runs, 1, start=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        parser.train(tmp_path / "data", runs, 1)
    structure.train(tmp_path / "data", runs, 1)
    structure.train(tmp_path / "data", tmp_path / "more", 1, start=runs / "structure" / "model")
    structure.train(tmp_path / "data", runs, 2, start=tmp_path / "nowhere")
    parser.train(tmp_path / "data", runs, 1)
    parser.train(tmp_path / "data", runs, 2, start=tmp_path / "nowhere")
    parser.train(tmp_path / "data", tmp_path / "more", 1, start=runs / "structure" / "model")
    assert (tmp_path / "more" / "parser" / "model" / "parser.onnx").exists()
