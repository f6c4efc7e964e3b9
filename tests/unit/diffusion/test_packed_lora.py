"""Adapters as matrices: where each layer lies, what a mix adds up to, what is kept and what is refused."""

from typing import Any

import numpy as np
import pytest
from ml_dtypes import bfloat16

from services.diffusion.adapters.lora_stack import LoraStack, part_name
from services.diffusion.adapters.packed_lora import RANK_STEP, LoraLayout, PackedLayer, padded_rank
from services.diffusion.domain.adapters import Adapter, AdapterMix, AdapterUse, LoraLayer
from services.diffusion.errors import AdapterIncompatible
from tests.support.unet_rows import adapter

LINEAR = PackedLayer("mid.to_q", "a", "linear", 6, 4, (1, 1), (1, 1), (0, 0), 0)
SECOND = PackedLayer("mid.to_k", "a", "linear", 3, 5, (1, 1), (1, 1), (0, 0), LINEAR.width)
CONV = PackedLayer("mid.conv", "b", "conv", 2, 3, (3, 3), (1, 1), (1, 1), 0)
SHAPES = {"unet.mid.to_q": (4, 6), "unet.mid.to_k": (5, 3), "unet.mid.conv": (3, 2, 3, 3)}


@pytest.fixture
def layout() -> LoraLayout:
    return LoraLayout((LINEAR, SECOND, CONV))


def _mix(*parts: tuple[Adapter, float]) -> AdapterMix:
    return tuple(AdapterUse(each, weight) for each, weight in parts)


def _columns(matrix: np.ndarray, layer: PackedLayer) -> tuple[np.ndarray, np.ndarray]:
    part = matrix[:, layer.offset : layer.offset + layer.width]
    return part[:, : layer.down_width], part[:, layer.down_width :]


def test_widths_are_the_sums_of_the_layers_columns(layout: LoraLayout) -> None:
    assert layout.widths == {"a": 6 + 4 + 3 + 5, "b": 2 * 9 + 3}


def test_a_linear_layers_columns_multiply_to_its_weighted_update(layout: LoraLayout) -> None:
    some = adapter(SHAPES, 1, 3)
    update = some.layers["unet.mid.to_k"]

    down, up = _columns(layout.pack(_mix((some, 0.5)))["a"], SECOND)

    np.testing.assert_allclose(up.T @ down, 0.5 * update.up @ update.down, rtol=1e-6)


def test_a_convolutions_kernel_lies_tap_by_tap(layout: LoraLayout) -> None:
    some = adapter(SHAPES, 1, 3)
    update = some.layers["unet.mid.conv"]

    down, up = _columns(layout.pack(_mix((some, 2.0)))["b"], CONV)

    np.testing.assert_array_equal(down.reshape(3, 3, 3, 2), update.down.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(up.T, 2 * update.up[:, :, 0, 0])


def test_adapters_of_a_mix_follow_each_other_and_a_muted_one_takes_no_rank(layout: LoraLayout) -> None:
    first, second, muted = (adapter(SHAPES, seed, rank, ("to_q",)) for seed, rank in ((1, 2), (2, 3), (3, 9)))

    packed = layout.pack(_mix((first, 1.0), (muted, 0.0), (second, -1.0)))

    down, up = _columns(packed["a"], LINEAR)
    expected = sum(
        weight * each.layers["unet.mid.to_q"].up @ each.layers["unet.mid.to_q"].down
        for each, weight in ((first, 1), (second, -1))
    )
    assert {group: len(matrix) for group, matrix in packed.items()} == {"a": 5, "b": 0}
    np.testing.assert_allclose(up.T @ down, expected, rtol=1e-5)


def test_layers_of_the_text_encoder_are_not_the_unets_business(layout: LoraLayout) -> None:
    layer = LoraLayer(np.ones((2, 4), np.float32), np.ones((4, 2), np.float32))
    some = Adapter("text", "0" * 64, 0, {"text_encoder.layers.0.q": layer})

    layout.check(_mix((some, 1.0)), max_rank=1)

    assert all(len(matrix) == 0 for matrix in layout.pack(_mix((some, 1.0))).values())


def test_ranks_add_up_by_group(layout: LoraLayout) -> None:
    """Two adapters that touch different groups do not pay for each other."""
    first, second = adapter(SHAPES, 1, 8, ("to_q",)), adapter(SHAPES, 2, 8, ("conv",))

    assert layout.ranks(_mix((first, 1.0), (second, 1.0))) == {"a": 8, "b": 8}
    layout.check(_mix((first, 1.0), (second, 1.0)), max_rank=8)
    with pytest.raises(AdapterIncompatible, match="add up to 16, over the limit 8"):
        layout.check(_mix((first, 1.0), (first, 1.0)), max_rank=8)


def test_a_layer_that_the_model_lacks_is_refused(layout: LoraLayout) -> None:
    foreign = adapter({"unet.up.to_q": (4, 6)}, 1, 2)

    with pytest.raises(AdapterIncompatible, match=r"no layer unet\.up\.to_q"):
        layout.check(_mix((foreign, 1.0)), max_rank=8)


def test_an_adapter_is_kept_once_whatever_mixes_it_is_in_until_it_is_forgotten(layout: LoraLayout) -> None:
    some, other = adapter(SHAPES, 1, 2), adapter(SHAPES, 2, 2)
    one_bytes = 2 * 4 * sum(layout.widths.values())

    for weight in (0.5, 1.0, 2.0):
        layout.pack(_mix((some, weight)))
        layout.pack(_mix((other, 1.0), (some, weight)))
    assert layout.held_bytes == 2 * one_bytes
    layout.forget([some.name])

    assert layout.held_bytes == one_bytes


@pytest.mark.parametrize(("rank", "padded"), [(0, 4), (1, 4), (4, 4), (5, 8), (16, 16)])
def test_ranks_of_a_call_are_steps(rank: int, padded: int) -> None:
    assert padded_rank(rank) == padded
    assert padded % RANK_STEP == 0


def test_a_mix_that_comes_back_is_rounded_once_and_then_forgotten(layout: LoraLayout) -> None:
    first, second = (_mix((adapter(SHAPES, seed, 3), 0.5)) for seed in (1, 2))
    stack = LoraStack(layout, layout.widths, bfloat16)

    once = {name: array.copy() for name, array in stack.arrange([first])[1].items()}
    one_mix_bytes = stack.held_bytes
    stack.arrange([second])
    again = stack.arrange([first])[1]

    assert all(np.array_equal(once[name], again[name]) for name in once)
    assert stack.held_bytes > one_mix_bytes
    stack.forget([use.adapter.name for use in (*first, *second)])
    assert stack.held_bytes == 0


@pytest.mark.parametrize("dtype", [np.float32, bfloat16])
def test_the_stack_of_changing_batches_is_that_of_each_batch_alone(layout: LoraLayout, dtype: Any) -> None:
    """Rows that stay, move, shrink and go: nothing of an earlier batch may be left in the matrices."""
    kinds = enumerate([("",), ("to_q",)] * 4)
    mixes = [(), *(_mix((adapter(SHAPES, seed, 1 + seed, ends), 1.0)) for seed, ends in kinds)]
    random = np.random.default_rng(0)
    stack = LoraStack(layout, layout.widths, dtype)

    for _ in range(60):
        batch = [mixes[index] for index in random.integers(0, len(mixes), random.integers(1, 5))]
        order, got = stack.arrange(batch)
        expected = layout.stack([layout.pack(batch[index]) for index in order])
        assert sorted(order) == list(range(len(batch)))
        for group in layout.widths:
            np.testing.assert_array_equal(got[group], expected[group].astype(dtype))


def test_rows_keep_their_places_when_others_leave(layout: LoraLayout) -> None:
    mixes = [_mix((adapter(SHAPES, seed, 2), 1.0)) for seed in range(4)]
    stack = LoraStack(layout, ["a"])
    stack.arrange(mixes)

    order, _ = stack.arrange([mixes[1], mixes[2], mixes[3]])

    # The fourth takes the first's place, the others stay where they were.
    assert order == [2, 0, 1]


def test_a_stack_forgets_what_holds_an_adapter(layout: LoraLayout) -> None:
    some = adapter(SHAPES, 1, 2)
    stack = LoraStack(layout, ["a"])
    stack.arrange([_mix((some, 1.0))])
    assert stack.held_bytes == 4 * RANK_STEP * layout.widths["a"]

    stack.forget(["another"])
    assert stack.held_bytes > 0
    stack.forget([some.name])

    assert stack.held_bytes == 0


def test_a_split_stack_holds_the_parts_of_the_whole(layout: LoraLayout) -> None:
    mixes = [_mix((adapter(SHAPES, seed, 3), 0.5)) for seed in range(3)]

    _, whole = LoraStack(layout, layout.widths).arrange(mixes)
    order, parts = LoraStack(layout, layout.widths, is_split=True).arrange(mixes)

    assert order == [0, 1, 2]
    for group in layout.widths:
        names = [part_name(group, index) for index in range(len(layout.parts(group)))]
        assert all(parts[name].flags.c_contiguous for name in names)
        np.testing.assert_array_equal(np.concatenate([parts[name] for name in names], axis=2), whole[group])


def test_the_memory_stays_while_rows_and_ranks_fit(layout: LoraLayout) -> None:
    first, second, wider = (
        _mix((adapter(SHAPES, seed, rank), 1.0)) for seed, rank in ((1, 2), (2, 3), (3, 5))
    )
    stack = LoraStack(layout, layout.widths)

    _, arrays = stack.arrange([first, first])

    assert stack.arrange([second, first])[1] is arrays
    assert stack.arrange([wider, first])[1] is not arrays
