"""A control hint reaches its own row and no other, and is refused where nothing can use it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from services.diffusion.adapters.control_net import load_control_net
from services.diffusion.adapters.fake import FakeModels
from services.diffusion.adapters.torch_unet import TorchUNet
from services.diffusion.domain.request import ControlChoice, GenerationRequest
from services.diffusion.domain.rows import ControlHint, RowBatch, TextCondition, UNetRow
from services.diffusion.engine.preparation import start_program
from services.diffusion.errors import CapabilityUnavailable
from shared.sdmodels import ModelFileMissing, load_unet, open_model_folder
from tests.support.programs import drive
from tests.support.tiny_sd import add_control_net, make_tiny_sd


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_control_net(make_tiny_sd(tmp_path_factory.mktemp("control") / "tiny"))


@pytest.fixture(scope="module")
def backend(tiny: Path) -> TorchUNet:
    return TorchUNet(load_unet(open_model_folder(tiny)), control_net=load_control_net(tiny))


def _row(seed: int, scale: float | None) -> UNetRow:
    random = np.random.default_rng(seed)
    text = TextCondition(random.standard_normal((16, 16), dtype=np.float32))
    latent = random.standard_normal((4, 8, 8), dtype=np.float32)
    hint = None if scale is None else ControlHint(random.random((3, 16, 16), dtype=np.float32), scale)
    return UNetRow(latent, 100.0 * seed, text, control=hint)


def test_rows_with_and_without_hints_share_a_batch(backend: TorchUNet) -> None:
    rows = [_row(1, 0.7), _row(2, None), _row(3, 1.5), _row(4, 0.0)]

    together = backend.predict(RowBatch.of(rows))

    alone = np.concatenate([backend.predict(RowBatch.of([row])) for row in rows])
    np.testing.assert_allclose(together, alone, rtol=0, atol=backend.batch_tolerance)


def test_a_hint_counts_by_its_picture_and_its_scale(backend: TorchUNet) -> None:
    row = _row(1, 0.7)
    other_picture = dataclasses.replace(row, control=ControlHint(1 - row.control.image, 0.7))
    other_scale = dataclasses.replace(row, control=dataclasses.replace(row.control, scale=1.4))
    muted = dataclasses.replace(row, control=dataclasses.replace(row.control, scale=0.0))
    bare = dataclasses.replace(row, control=None)

    first, *others, silent, plain = (
        backend.predict(RowBatch.of([each])) for each in (row, other_picture, other_scale, muted, bare)
    )

    np.testing.assert_array_equal(silent, plain)
    assert all(np.abs(first - other).max() > 1e-3 for other in [*others, plain])


def test_a_hint_needs_a_control_net(tiny: Path) -> None:
    without = TorchUNet(load_unet(open_model_folder(tiny)))

    with pytest.raises(ValueError, match="no ControlNet"):
        without.predict(RowBatch.of([_row(1, 0.7)]))


def test_a_folder_has_one_or_none_or_a_broken_one(tiny: Path, tmp_path: Path) -> None:
    assert load_control_net(tiny) is not None
    assert load_control_net(tmp_path) is None
    (tmp_path / "controlnet").mkdir()
    with pytest.raises(ModelFileMissing, match=r"controlnet.config\.json"):
        load_control_net(tmp_path)


def test_every_technique_carries_the_hint_on_all_its_rows() -> None:
    model = FakeModels().load("")
    picture = np.full((64, 64, 3), 51, np.uint8)
    request = GenerationRequest("a face", step_count=2, control=ControlChoice(picture, 0.5))
    steps: list = []

    drive(model, start_program(model, request, ()), steps)

    hints = [row.control for step in steps for row in step.rows]
    assert len(hints) == 4
    assert all(hint.scale == 0.5 and np.allclose(hint.image, 0.2) for hint in hints)
    assert hints[0].image.shape == (3, 64, 64)


def test_a_model_without_control_refuses_before_anything_is_queued() -> None:
    model = dataclasses.replace(FakeModels().load(""), supports_control=False)
    request = GenerationRequest("a face", control=ControlChoice(np.zeros((8, 8, 3), np.uint8)))

    with pytest.raises(CapabilityUnavailable, match="controlnet/"):
        start_program(model, request, ())
