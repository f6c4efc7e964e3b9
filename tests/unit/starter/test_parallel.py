"""Work that processes share out: every piece is done once, and all know every result."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from starter.train import parallel


@given(costs=st.lists(st.floats(0.1, 10), max_size=30), count=st.integers(1, 5))
def test_no_process_has_more_than_one_piece_over_another(costs: list[float], count: int) -> None:
    owners = parallel.shared_out(costs, count)
    loads = [sum(cost for cost, owner in zip(costs, owners, strict=True) if owner == k) for k in range(count)]
    assert len(owners) == len(costs)
    assert max(loads) - min(loads) <= max(costs, default=0) + 1e-9


def test_two_processes_compute_each_piece_once_and_get_all(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = [torch.full((2, 3), 1.0), torch.full((4,), 2.0), torch.full((1, 1), 3.0)]
    computed: list[float] = []
    sent: list[Tensor] = []

    def double(tensor: Tensor) -> Tensor:
        computed.append(float(tensor.flatten()[0]))
        return 2 * tensor

    monkeypatch.setattr(parallel, "world", lambda: 2)
    monkeypatch.setattr(parallel.dist, "all_reduce", sent.append)
    for number in range(2):
        monkeypatch.setattr(parallel, "rank", lambda number=number: number)
        parallel.each_once(double, inputs, [6, 4, 1])

    assert sorted(computed) == [1.0, 2.0, 3.0]
    expected = torch.cat([2 * tensor.flatten() for tensor in inputs])
    torch.testing.assert_close(sum(sent), expected.bfloat16())


def test_what_is_received_has_the_shapes_of_the_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "world", lambda: 2)
    monkeypatch.setattr(parallel, "rank", lambda: 0)
    # As if the other process had sent ones for its pieces.
    monkeypatch.setattr(parallel.dist, "all_reduce", lambda flat: flat.add_(flat == 0))
    results = parallel.each_once(torch.square, [torch.full((2, 2), 3.0), torch.zeros(3)], [4, 3])
    assert [tuple(result.shape) for result in results] == [(2, 2), (3,)]
    assert results[0].unique().tolist() == [9.0] and results[1].unique().tolist() == [1.0]
