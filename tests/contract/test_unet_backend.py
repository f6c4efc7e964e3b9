"""The promises of the UNetBackend port, on every backend that can run here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.diffusion.adapters.fake import FakeUNet
from services.diffusion.domain.adapters import Adapter, AdapterUse, LoraLayer
from services.diffusion.domain.ports import UNetBackend
from services.diffusion.domain.rows import IdentityCondition, RowBatch, TextCondition, UNetRow
from tests.support.tiny_sd import make_tiny_sd

Layers = dict[str, tuple[int, ...]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("unet") / "tiny")


def _torch(tiny: Path) -> tuple[UNetBackend, Layers]:
    from services.diffusion.adapters.ip_adapter import read_ip_adapter
    from services.diffusion.adapters.torch_unet import TorchUNet
    from shared.sdmodels import load_unet, open_model_folder

    backend = TorchUNet(
        load_unet(open_model_folder(tiny)), read_ip_adapter(tiny / "ip_adapter.safetensors")[1]
    )
    attention = {
        path: shape for path, shape in backend.layer_shapes.items() if "to_" in path or "conv1" in path
    }
    return backend, attention


def _fake(tiny: Path) -> tuple[UNetBackend, Layers]:
    return FakeUNet(), {"unet.any": (4, 4)}


@pytest.fixture(scope="module", params=[_fake, _torch], ids=["fake", "torch"])
def backend_and_layers(request: pytest.FixtureRequest, tiny: Path) -> tuple[UNetBackend, Layers]:
    make: Callable[[Path], tuple[UNetBackend, Layers]] = request.param
    return make(tiny)


def _adapter(layers: Layers, seed: int, rank: int) -> Adapter:
    random = np.random.default_rng(seed)

    def layer(shape: tuple[int, ...]) -> LoraLayer:
        down = random.standard_normal((rank, *shape[1:]), dtype=np.float32) * np.float32(0.3)
        up = random.standard_normal((shape[0], rank, *(1 for _ in shape[2:])), dtype=np.float32)
        return LoraLayer(down, up * np.float32(0.3))

    updates = {path: layer(shape) for path, shape in layers.items()}
    return Adapter(f"a{seed}", f"{seed * 7919 % 65536:04x}" * 16, 0, updates)


def _row(seed: int, layers: Layers) -> UNetRow:
    """A row that differs from every other seed's in all that a row can carry."""
    random = np.random.default_rng(seed)
    text = TextCondition(random.standard_normal((16, 16), dtype=np.float32))
    latent = random.standard_normal((4, 8, 8), dtype=np.float32)
    identity = IdentityCondition(random.standard_normal((4, 16), dtype=np.float32), 0.4 + 0.1 * seed)
    mix = tuple(AdapterUse(_adapter(layers, 10 * seed + k, 1 + seed % 3), 0.5 + k) for k in range(seed % 3))
    return UNetRow(latent, float(37 * seed % 1000), text, identity if seed % 2 else None, mix)


def test_a_row_alone_equals_the_same_row_among_strangers(
    backend_and_layers: tuple[UNetBackend, Layers],
) -> None:
    backend, layers = backend_and_layers
    rows = [_row(seed, layers) for seed in range(1, 8)]

    together = backend.predict(RowBatch.of(rows))

    alone = np.concatenate([backend.predict(RowBatch.of([row])) for row in rows])
    assert together.shape == (7, 4, 8, 8)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, rtol=0, atol=backend.batch_tolerance)


def test_order_of_rows_is_order_of_predictions(backend_and_layers: tuple[UNetBackend, Layers]) -> None:
    backend, layers = backend_and_layers
    rows = [_row(seed, layers) for seed in range(1, 5)]

    forward, backward = backend.predict(RowBatch.of(rows)), backend.predict(RowBatch.of(rows[::-1]))

    np.testing.assert_allclose(forward, backward[::-1], rtol=0, atol=backend.batch_tolerance)


def test_the_same_batch_gives_the_same_bits_after_other_batches(
    backend_and_layers: tuple[UNetBackend, Layers],
) -> None:
    backend, layers = backend_and_layers
    first, other = _row(2, layers), _row(5, layers)

    before = backend.predict(RowBatch.of([first]))
    backend.predict(RowBatch.of([other]))
    backend.predict(RowBatch.of([other, first]))

    np.testing.assert_array_equal(before, backend.predict(RowBatch.of([first])))


@pytest.mark.parametrize("part", ["adapters", "identity", "text", "timestep", "latent"])
def test_every_part_of_a_row_counts(backend_and_layers: tuple[UNetBackend, Layers], part: str) -> None:
    import dataclasses

    backend, layers = backend_and_layers
    row = _row(5, layers)
    changed = dataclasses.replace(row, **{part: getattr(_row(7, layers), part)})

    difference = backend.predict(RowBatch.of([row])) - backend.predict(RowBatch.of([changed]))

    assert np.abs(difference).max() > 1e-3


def test_zero_weight_and_zero_scale_equal_nothing(backend_and_layers: tuple[UNetBackend, Layers]) -> None:
    backend, layers = backend_and_layers
    bare = UNetRow(_row(1, layers).latent, 5.0, _row(1, layers).text)
    use = AdapterUse(_adapter(layers, 3, 2), 0.0)
    identity = IdentityCondition(np.ones((4, 16), np.float32), 0.0)

    muted = UNetRow(bare.latent, 5.0, bare.text, identity, (use,))

    np.testing.assert_array_equal(backend.predict(RowBatch.of([bare])), backend.predict(RowBatch.of([muted])))


def test_rows_of_different_shapes_are_no_batch() -> None:
    text = TextCondition(np.zeros((16, 16), np.float32))
    rows = [UNetRow(np.zeros((4, side, side), np.float32), 0.0, text) for side in (8, 16)]

    with pytest.raises(ValueError, match="one shape"):
        RowBatch.of(rows)
