"""Everything that a row carries counts as torch would have it with adapters merged into the weights."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from services.diffusion.domain.adapters import AdapterMix, AdapterUse
from services.diffusion.domain.rows import RowBatch, TextCondition, UNetRow
from tests.support.unet_cases import Case, predict, strangers
from tests.support.unet_rows import ATTENTION, adapter, identity, plain_row


@pytest.mark.parametrize("part", ["adapters", "identity", "text", "timestep", "latent"])
def test_every_part_of_a_row_counts(case: Case, part: str) -> None:
    rows = strangers(case)
    row = rows[4]
    changed = dataclasses.replace(row, **{part: getattr(rows[6], part)})

    assert np.abs(predict(case, row) - predict(case, changed)).max() > 1e-3


def test_zero_weight_and_zero_scale_equal_nothing(case: Case) -> None:
    row = plain_row(1)
    use = AdapterUse(adapter(case.layers, 3, 2), 0.0)

    muted = dataclasses.replace(row, identity=identity(1, 0.0), adapters=(use,))

    np.testing.assert_array_equal(predict(case, row), predict(case, muted))


def merged(tiny: Path, rows: list[UNetRow]) -> np.ndarray:
    """What torch predicts for each row with its adapters merged into the weights, no row data at all."""
    import torch

    from services.diffusion.adapters.ip_adapter import read_ip_adapter
    from services.diffusion.adapters.torch_unet import TorchUNet
    from shared.sdmodels import load_unet, open_model_folder

    predictions = []
    for row in rows:
        unet = load_unet(open_model_folder(tiny))
        for use in row.adapters:
            for path, layer in use.adapter.layers.items():
                weight = unet.get_submodule(path.removeprefix("unet.")).weight
                update = layer.up.reshape(layer.up.shape[0], -1) @ layer.down.reshape(layer.rank, -1)
                weight.data += use.weight * torch.from_numpy(update).reshape(weight.shape)
        attention = read_ip_adapter(tiny / "ip_adapter.safetensors")[1]
        bare = dataclasses.replace(row, adapters=())
        predictions.append(TorchUNet(unet, attention).predict(RowBatch.of([bare]))[0])
    return np.stack(predictions)


def test_rows_equal_torch_with_merged_weights(model: Case, tiny: Path) -> None:
    """Linear layers and convolutions of all kinds, one to three adapters, with and without identity."""
    layers = model.layers
    some = adapter(layers, 1, 4, ATTENTION), adapter(layers, 2, 3), adapter(layers, 3, 5, ("conv1", "conv"))
    mixes: list[AdapterMix] = [
        (),
        (AdapterUse(some[0], 1.0),),
        (AdapterUse(some[1], 0.7),),
        (AdapterUse(some[2], -0.5), AdapterUse(some[0], 1.2)),
        tuple(AdapterUse(each, 0.5) for each in some),
    ]
    rows = [
        dataclasses.replace(plain_row(seed), adapters=mix, identity=identity(seed) if seed % 2 else None)
        for seed, mix in enumerate(mixes)
    ]

    difference = np.abs(predict(model, *rows) - merged(tiny, rows))

    assert difference.max() <= max(model.tolerance, 1e-5)


def test_other_sizes_and_prompt_lengths_equal_torch(model: Case, tiny: Path) -> None:
    """Also sizes that halving rounds."""
    use = AdapterUse(adapter(model.layers, 1, 4), 1.0)
    for height, width in ((8, 12), (10, 8), (7, 9)):
        row = plain_row(1, (4, height, width))
        text = TextCondition(np.concatenate([row.text.context, row.text.context]))
        rows = [dataclasses.replace(row, text=text, adapters=(use,), identity=identity(1))]

        assert np.abs(predict(model, *rows) - merged(tiny, rows)).max() <= max(model.tolerance, 1e-5)
