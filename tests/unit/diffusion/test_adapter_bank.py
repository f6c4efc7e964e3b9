"""The adapters that stay inside Triton's model: by content, in rank rows, least recently used out."""

import numpy as np
import pytest
import torch

from services.diffusion.adapters.triton.server.adapter_bank import AdapterBank, Group, Refused
from services.diffusion.adapters.triton.server.content_key import NO_KEY, Key, content_key

WIDTH, STEP = 6, 4
# Columns 4 and 5 hold `up`.
UP = torch.tensor([False, False, False, False, True, True])
GROUPS = {"lora_a": Group(WIDTH, UP), "lora_b": Group(WIDTH, UP)}
Parts = dict[str, torch.Tensor]


def bank(rank_rows: int = 8) -> AdapterBank:
    return AdapterBank(GROUPS, rank_rows, STEP, torch.device("cpu"))


def adapter(seed: int, **ranks: int) -> tuple[Key, Parts]:
    random = np.random.default_rng(seed)
    parts = {name: random.standard_normal((rank, WIDTH), dtype=np.float32) for name, rank in ranks.items()}
    return content_key(parts), {name: torch.from_numpy(matrix) for name, matrix in parts.items()}


def test_gathers_what_was_stored_padded_with_zeros() -> None:
    tested = bank()
    key, parts = adapter(1, lora_a=3)
    tested.store(key, parts)

    gathered = tested.gather([[(key, 1.0)], []], GROUPS)

    assert gathered["lora_a"].shape == (2, STEP, WIDTH)
    assert torch.equal(gathered["lora_a"][0, :3], parts["lora_a"])
    assert not gathered["lora_a"][0, 3:].any()
    assert not gathered["lora_a"][1].any()
    assert not gathered["lora_b"].any()


def test_adapters_of_a_row_follow_each_other_and_strengths_scale_up_only() -> None:
    tested = bank()
    (first, one), (second, two) = adapter(1, lora_a=2, lora_b=1), adapter(2, lora_a=3)
    tested.store(first, one)
    tested.store(second, two)

    gathered = tested.gather([[(first, 0.5), (second, -2.0)]], GROUPS)["lora_a"]

    scale = torch.where(UP, torch.tensor([0.5, 0.5, -2.0, -2.0, -2.0])[:, None], 1.0)
    assert gathered.shape == (1, 2 * STEP, WIDTH)
    assert torch.equal(gathered[0, :5], torch.cat([one["lora_a"], two["lora_a"]]) * scale)


def test_the_least_recently_used_makes_room() -> None:
    tested = bank(rank_rows=4)
    adapters = [adapter(seed, lora_a=2) for seed in range(3)]
    keys = [key for key, _ in adapters]
    tested.store(*adapters[0])
    tested.store(*adapters[1])
    tested.missing([[(keys[0], 1.0)]])  # used just now

    tested.store(*adapters[2])

    assert tested.missing([[(key, 1.0) for key in keys]]) == [keys[1]]


def test_rows_of_an_evicted_adapter_are_the_new_ones_alone() -> None:
    """The new adapter has fewer ranks than the old one, whose last rows are still in memory."""
    tested = bank(rank_rows=4)
    old, new = adapter(1, lora_a=4), adapter(2, lora_a=1)
    tested.store(*old)
    tested.store(*new)

    gathered = tested.gather([[(new[0], 1.0)]], GROUPS)["lora_a"]

    assert torch.equal(gathered[0, :1], new[1]["lora_a"])
    assert not gathered[0, 1:].any()


def test_a_kept_gather_outlives_eviction_and_stays_right() -> None:
    tested = bank(rank_rows=4)
    old, new = adapter(1, lora_a=4), adapter(2, lora_a=4)
    tested.store(*old)
    before = tested.gather([[(old[0], 1.0)]], GROUPS)["lora_a"].clone()
    tested.store(*new)
    tested.gather([[(new[0], 1.0)]], GROUPS)
    tested.store(*old)

    assert torch.equal(tested.gather([[(old[0], 1.0)]], GROUPS)["lora_a"], before)


def test_forgetting_clears_the_memory() -> None:
    tested = bank()
    key, parts = adapter(1, lora_a=3)
    tested.store(key, parts)
    tested.gather([[(key, 1.0)]], GROUPS)

    tested.forget(key)
    tested.forget(key)

    assert tested.missing([[(key, 1.0)]]) == [key]
    assert not tested._pools["lora_a"].any()
    assert len(tested._free["lora_a"]) == 8
    assert not tested._gathered


def test_content_that_is_not_the_keys_is_refused() -> None:
    tested = bank()
    key, _ = adapter(1, lora_a=3)
    _, others = adapter(2, lora_a=3)

    with pytest.raises(Refused, match="digest"):
        tested.store(key, others)
    with pytest.raises(Refused, match="digest"):
        tested.store(NO_KEY, others)

    assert tested.missing([[(key, 1.0)]]) == [key]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"lora_a": torch.zeros(9, WIDTH)}, "rank 9"),
        ({"lora_a": torch.zeros(1, WIDTH + 1)}, "no input"),
        ({"latents": torch.zeros(1, WIDTH)}, "no input"),
    ],
)
def test_what_does_not_fit_is_refused(parts: Parts, words: str) -> None:
    key = content_key({name: matrix.numpy() for name, matrix in parts.items()})

    with pytest.raises(Refused, match=words):
        bank().store(key, parts)


def test_keys_tell_names_shapes_and_values_apart() -> None:
    zeros = np.zeros((2, 6), np.float32)
    keys = {
        content_key({"lora_a": zeros}),
        content_key({"lora_b": zeros}),
        content_key({"lora_a": zeros.reshape(6, 2)}),
        content_key({"lora_a": zeros, "lora_b": zeros}),
        content_key({"lora_a": zeros + np.float32(1e-30)}),
    }

    assert len(keys) == 5
    assert content_key({"lora_a": zeros}) == content_key({"lora_a": np.asfortranarray(zeros)})


def test_random_traffic_never_mixes_adapters() -> None:
    """Two thousand stores, uses and forgets over a bank that holds a third: every gather is exact."""
    random = np.random.default_rng(0)
    tested = bank(rank_rows=12)
    known = [adapter(seed, lora_a=1 + seed % 4, lora_b=seed % 3) for seed in range(12)]
    known = [(key, {n: m for n, m in parts.items() if len(m)}) for key, parts in known]
    known = [(content_key({n: m.numpy() for n, m in parts.items()}), parts) for _, parts in known]
    for _ in range(2_000):
        key, parts = known[random.integers(12)]
        if random.random() < 0.05:
            tested.forget(key)
            continue
        if tested.missing([[(key, 1.0)]]):
            tested.store(key, parts)
        gathered = tested.gather([[(key, 1.0)]], GROUPS)
        for name in GROUPS:
            expected = parts.get(name, torch.zeros(0, WIDTH))
            assert torch.equal(gathered[name][0, : len(expected)], expected)
            assert not gathered[name][0, len(expected) :].any()
