"""What a backend refuses, what it forgets, and what it says it is."""

import dataclasses

import numpy as np
import pytest

from services.diffusion.domain.adapters import AdapterUse
from services.diffusion.domain.rows import ControlHint
from services.diffusion.errors import AdapterIncompatible
from tests.support.unet_cases import MAX_MIX_RANK, MODELS, Case, Opened, predict
from tests.support.unet_rows import adapter, plain_row


def test_an_adapter_for_another_model_is_refused_before_it_is_queued(graph: Case) -> None:
    foreign = adapter({"unet.somewhere.else": (4, 4)}, 1, 2)

    with pytest.raises(AdapterIncompatible, match=r"no layer unet\.somewhere\.else"):
        graph.backend.check((AdapterUse(foreign, 1.0),))
    with pytest.raises(ValueError, match=r"no layer unet\.somewhere\.else"):
        predict(graph, dataclasses.replace(plain_row(1), adapters=(AdapterUse(foreign, 1.0),)))


def test_a_mix_of_too_high_a_rank_is_refused(graph: Case) -> None:
    use = AdapterUse(adapter(graph.layers, 1, MAX_MIX_RANK // 2), 1.0)

    graph.backend.check((use, use))
    with pytest.raises(AdapterIncompatible, match="add up to 60, over the limit 40"):
        graph.backend.check((use, use, use))


def test_a_control_hint_without_a_control_net_is_refused(model: Case) -> None:
    hint = ControlHint(np.zeros((3, 16, 16), np.float32), 1.0)

    with pytest.raises(ValueError, match="ControlNet"):
        predict(model, plain_row(1), dataclasses.replace(plain_row(2), control=hint))


def test_forgotten_adapters_leave_nothing_behind(model: Case) -> None:
    model.backend.forget_adapters([f"a{seed}" for seed in range(1000)])
    row = dataclasses.replace(plain_row(1), adapters=(AdapterUse(adapter(model.layers, 77, 4), 1.0),))
    empty_bytes = model.backend.held_adapter_bytes

    before = predict(model, row)
    held_bytes = model.backend.held_adapter_bytes
    model.backend.forget_adapters(["a77"])

    assert (held_bytes > empty_bytes) == model.keeps_packed
    assert model.backend.held_adapter_bytes <= empty_bytes
    np.testing.assert_array_equal(before, predict(model, row))


def test_descriptions_state_runtime_and_precision(opened: Opened) -> None:
    assert {name: opened(name).backend.description for name in MODELS} == {
        "torch": "torch float32 on cpu",
        "torch_bf16": "torch bfloat16 on cpu",
        "onnxruntime": "onnxruntime float32 on cpu",
        "openvino": "openvino float32 on cpu",
        "openvino_bf16": "openvino bfloat16 on cpu",
    }
