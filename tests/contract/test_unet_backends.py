"""The promises of the UNetBackend port, on every backend that can run here."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.diffusion.adapters.fake import FakeUNet
from services.diffusion.domain.adapters import AdapterMix, AdapterUse
from services.diffusion.domain.ports import UNetBackend
from services.diffusion.domain.rows import ControlHint, RowBatch, TextCondition, UNetRow
from services.diffusion.errors import AdapterIncompatible
from tests.support.tiny_sd import make_tiny_sd
from tests.support.triton_server import needs_triton, triton_server
from tests.support.unet_rows import ATTENTION, Layers, adapter, identity, plain_row, stranger

MAX_MIX_RANK = 40
STARTER = Path(__file__).parents[2] / "starter" / "weights"


@dataclass(frozen=True)
class Case:
    """A backend, the layers that it knows and how far it may be from float32 torch.

    `keeps_packed`: whether it keeps adapters in a form of its own in this process.
    """

    backend: UNetBackend
    layers: Layers
    tolerance: float
    keeps_packed: bool = True


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("unet") / "tiny")


def _open(backend: Any, precision: Any, tolerance: float) -> Callable[[Path], Case]:
    def make(tiny: Path) -> Case:
        from services.diffusion.adapters.unet_backends import UNetOptions, open_unet
        from shared.sdmodels import open_model_folder

        options = UNetOptions(
            backend,
            precision=precision,
            thread_count=2,
            max_mix_rank=MAX_MIX_RANK,
            graph_cache=tiny.parent / "graphs",
        )
        opened = open_unet(open_model_folder(tiny), options)
        return Case(opened.backend, opened.layer_shapes, tolerance)

    return make


MODELS = {
    "torch": _open("torch", "f32", 0.0),
    "torch_bf16": _open("torch", "bf16", 0.1),
    "onnxruntime": _open("onnxruntime", "f32", 1e-5),
    "openvino": _open("openvino", "f32", 5e-5),
    "openvino_bf16": _open("openvino", "bf16", 0.1),
}
FAKE = {"fake": lambda _: Case(FakeUNet(), {"unet.any": (4, 4)}, np.inf)}
Opened = Callable[[str], Case]


TRITON = pytest.param("triton", marks=needs_triton)


@contextmanager
def _triton(tiny: Path) -> Iterator[Case]:
    """A real server for this file."""
    from services.diffusion.adapters.graph.cache import cached_graph
    from services.diffusion.adapters.triton.config_text import RepositoryOptions
    from services.diffusion.adapters.triton.options import TritonOptions
    from services.diffusion.adapters.triton.repository import write_repository
    from services.diffusion.adapters.triton_unet import TritonUNet
    from shared.sdmodels import open_model_folder

    folder, models = open_model_folder(tiny), tiny.parent / "models"
    options = RepositoryOptions(side_cells=8, context_tokens=16, rank_rows=128, max_rank=MAX_MIX_RANK)
    write_repository(cached_graph(folder, tiny.parent / "graphs"), models, options)
    with triton_server(models, tiny.parent / "server.log") as server:
        backend = TritonUNet(folder, TritonOptions(server.target))
        yield Case(backend, backend.layer_shapes, 1e-5, keeps_packed=False)
        backend.close()


@pytest.fixture(scope="module")
def opened(tiny: Path) -> Iterator[Opened]:
    """Opens each backend once."""
    with ExitStack() as stack:
        served = {"triton": lambda tiny: stack.enter_context(_triton(tiny))}
        yield cache(lambda name: (FAKE | MODELS | served)[name](tiny))


@pytest.fixture(scope="module", params=[*FAKE, *MODELS, TRITON])
def case(request: pytest.FixtureRequest, opened: Opened) -> Case:
    return opened(request.param)


@pytest.fixture(scope="module", params=[*MODELS, TRITON])
def model(request: pytest.FixtureRequest, opened: Opened) -> Case:
    return opened(request.param)


@pytest.fixture(scope="module", params=[*(name for name in MODELS if "torch" not in name), TRITON])
def graph(request: pytest.FixtureRequest, opened: Opened) -> Case:
    return opened(request.param)


def _predict(case: Case, *rows: UNetRow) -> np.ndarray:
    return case.backend.predict(RowBatch.of(rows))


def _strangers(case: Case) -> list[UNetRow]:
    layers = {"unet.any.to_k": (4, 4)} if "unet.any" in case.layers else case.layers
    return [stranger(seed, layers) for seed in range(1, 9)]


def _merged(tiny: Path, rows: list[UNetRow]) -> np.ndarray:
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


def test_a_row_alone_equals_the_same_row_among_strangers(case: Case) -> None:
    rows = _strangers(case)

    together = _predict(case, *rows)

    alone = np.concatenate([_predict(case, row) for row in rows])
    assert together.shape == (8, 4, 8, 8)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, rtol=0, atol=case.backend.batch_tolerance)


def test_any_company_gives_the_same_row(case: Case) -> None:
    """Other companions, other places, other numbers of rows: with them go the ranks that a call pads to."""
    rows = _strangers(case)
    alone = [_predict(case, row)[0] for row in rows]
    random = np.random.default_rng(0)

    for _ in range(12):
        chosen = random.choice(len(rows), random.integers(2, len(rows)), replace=False)
        together = _predict(case, *(rows[index] for index in chosen))
        expected = [alone[index] for index in chosen]
        np.testing.assert_allclose(together, expected, rtol=0, atol=case.backend.batch_tolerance)


def test_a_third_image_like_the_first_has_its_bits(case: Case) -> None:
    a, b, *_ = _strangers(case)[1:]

    first = _predict(case, a, b, a)
    _predict(case, b)
    _predict(case, b, a)

    np.testing.assert_array_equal(first, _predict(case, a, b, a))


def test_adapters_leave_the_base_as_it_was(case: Case) -> None:
    before = _predict(case, plain_row(1))

    _predict(case, *_strangers(case))

    np.testing.assert_array_equal(before, _predict(case, plain_row(1)))


@pytest.mark.parametrize("part", ["adapters", "identity", "text", "timestep", "latent"])
def test_every_part_of_a_row_counts(case: Case, part: str) -> None:
    rows = _strangers(case)
    row = rows[4]
    changed = dataclasses.replace(row, **{part: getattr(rows[6], part)})

    assert np.abs(_predict(case, row) - _predict(case, changed)).max() > 1e-3


def test_zero_weight_and_zero_scale_equal_nothing(case: Case) -> None:
    row = plain_row(1)
    use = AdapterUse(adapter(case.layers, 3, 2), 0.0)

    muted = dataclasses.replace(row, identity=identity(1, 0.0), adapters=(use,))

    np.testing.assert_array_equal(_predict(case, row), _predict(case, muted))


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

    difference = np.abs(_predict(model, *rows) - _merged(tiny, rows))

    assert difference.max() <= max(model.tolerance, 1e-5)


def test_other_sizes_and_prompt_lengths_equal_torch(model: Case, tiny: Path) -> None:
    """Also sizes that halving rounds."""
    use = AdapterUse(adapter(model.layers, 1, 4), 1.0)
    for height, width in ((8, 12), (10, 8), (7, 9)):
        row = plain_row(1, (4, height, width))
        text = TextCondition(np.concatenate([row.text.context, row.text.context]))
        rows = [dataclasses.replace(row, text=text, adapters=(use,), identity=identity(1))]

        assert np.abs(_predict(model, *rows) - _merged(tiny, rows)).max() <= max(model.tolerance, 1e-5)


def test_an_adapter_for_another_model_is_refused_before_it_is_queued(graph: Case) -> None:
    foreign = adapter({"unet.somewhere.else": (4, 4)}, 1, 2)

    with pytest.raises(AdapterIncompatible, match=r"no layer unet\.somewhere\.else"):
        graph.backend.check((AdapterUse(foreign, 1.0),))
    with pytest.raises(ValueError, match=r"no layer unet\.somewhere\.else"):
        _predict(graph, dataclasses.replace(plain_row(1), adapters=(AdapterUse(foreign, 1.0),)))


def test_a_mix_of_too_high_a_rank_is_refused(graph: Case) -> None:
    use = AdapterUse(adapter(graph.layers, 1, MAX_MIX_RANK // 2), 1.0)

    graph.backend.check((use, use))
    with pytest.raises(AdapterIncompatible, match="add up to 60, over the limit 40"):
        graph.backend.check((use, use, use))


def test_a_control_hint_without_a_control_net_is_refused(model: Case) -> None:
    hint = ControlHint(np.zeros((3, 16, 16), np.float32), 1.0)

    with pytest.raises(ValueError, match="ControlNet"):
        _predict(model, plain_row(1), dataclasses.replace(plain_row(2), control=hint))


def test_forgotten_adapters_leave_nothing_behind(model: Case) -> None:
    model.backend.forget_adapters([f"a{seed}" for seed in range(1000)])
    row = dataclasses.replace(plain_row(1), adapters=(AdapterUse(adapter(model.layers, 77, 4), 1.0),))
    empty_bytes = model.backend.held_adapter_bytes

    before = _predict(model, row)
    held_bytes = model.backend.held_adapter_bytes
    model.backend.forget_adapters(["a77"])

    assert (held_bytes > empty_bytes) == model.keeps_packed
    assert model.backend.held_adapter_bytes <= empty_bytes
    np.testing.assert_array_equal(before, _predict(model, row))


def test_descriptions_state_runtime_and_precision(opened: Opened) -> None:
    assert {name: opened(name).backend.description for name in MODELS} == {
        "torch": "torch float32 on cpu",
        "torch_bf16": "torch bfloat16 on cpu",
        "onnxruntime": "onnxruntime float32 on cpu",
        "openvino": "openvino float32 on cpu",
        "openvino_bf16": "openvino bfloat16 on cpu",
    }


def test_rows_of_different_shapes_are_no_batch() -> None:
    with pytest.raises(ValueError, match="one shape"):
        RowBatch.of([plain_row(1), plain_row(2, (4, 16, 16))])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("backend", "precision"), [("onnxruntime", "f32"), ("openvino", "f32"), ("openvino", "bf16")]
)
def test_rows_of_the_starter_pack_have_the_same_bits_in_any_company(
    backend: Any, precision: Any, threads: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Kernels choose their blocks by size: what holds for a tiny network need not hold for a real one."""
    from services.diffusion.adapters.unet_backends import UNetOptions, open_unet
    from shared.sdmodels import open_model_folder

    folder = open_model_folder(STARTER)
    place = tmp_path_factory.getbasetemp() / "starter-graphs"
    options = UNetOptions(backend, precision=precision, thread_count=threads, graph_cache=place)
    opened = open_unet(folder, options)
    latents = (folder.latent_channels, 16, 16)
    context = (48, folder.unet_config["cross_attention_dim"])
    rows = [stranger(seed, opened.layer_shapes, latents, context) for seed in range(1, 9)]
    alone = [opened.backend.predict(RowBatch.of([row]))[0] for row in rows]
    random = np.random.default_rng(0)

    for _ in range(8):
        chosen = random.choice(len(rows), random.integers(2, len(rows)), replace=False)
        together = opened.backend.predict(RowBatch.of([rows[index] for index in chosen]))
        np.testing.assert_array_equal(together, [alone[index] for index in chosen])
