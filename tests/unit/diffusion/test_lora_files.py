"""LoRA files in every key style become the same layers; what cannot be applied is refused with its cause."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from safetensors.torch import save

from services.diffusion.adapters.lora_files import LoraRules, LoraUnreadable, read_lora

_ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
_SHAPES = {
    f"unet.{_ATTENTION}.to_q": (8, 6),
    f"unet.{_ATTENTION}.to_out.0": (8, 8),
    "unet.conv_in": (8, 4, 3, 3),
    "unet.proj_in": (8, 8, 1, 1),
    "text_encoder.encoder.layers.0.self_attn.q_proj": (8, 8),
}
_RULES = LoraRules(_SHAPES, base_model_sha256="ab" * 32, max_rank=4)


def _pair(path: str, rank: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    out_size, *rest = _SHAPES[path]
    generator = torch.Generator().manual_seed(len(path))
    down = torch.randn(rank, *rest, generator=generator)
    return down, torch.randn(out_size, rank, *(1 for _ in rest[1:]), generator=generator)


def _file(
    path: str, prefix: str, parts: str, metadata: Mapping[str, str] | None = None, **more: object
) -> bytes:
    """A LoRA for *path* under the key *prefix*; *parts* are the endings of down|up."""
    keys = (f"{prefix}{part}" for part in parts.split("|"))
    tensors = dict(zip(keys, _pair(path), strict=True)) | more
    return save(tensors, metadata=dict(metadata or {}))


_Q = f"unet.{_ATTENTION}.to_q"
_OUT = f"unet.{_ATTENTION}.to_out.0"
_TE = "text_encoder.encoder.layers.0.self_attn.q_proj"
_KOHYA_TE = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
_PEFT = ".lora_A.weight|.lora_B.weight"
_KOHYA = ".lora_down.weight|.lora_up.weight"
_FIRST = "_lora.down.weight|_lora.up.weight"


@pytest.mark.parametrize(
    ("path", "prefix", "parts"),
    [
        (_Q, _Q, _PEFT),
        (_Q, _Q, ".lora.down.weight|.lora.up.weight"),
        (_Q, f"unet.{_ATTENTION}.processor.to_q", _FIRST),
        (_OUT, f"unet.{_ATTENTION}.processor.to_out", _FIRST),
        (_Q, f"base_model.model.{_ATTENTION}.to_q", _PEFT),
        (_Q, f"{_ATTENTION}.to_q", ".lora_A.default.weight|.lora_B.default.weight"),
        (_Q, f"lora_{_Q.replace('.', '_')}", _KOHYA),
        (_TE, _KOHYA_TE, _KOHYA),
        (_TE, "text_encoder.text_model.encoder.layers.0.self_attn.q_proj", _PEFT),
        ("unet.conv_in", "unet.conv_in", _PEFT),
    ],
)
def test_every_key_style_names_the_same_layer(path: str, prefix: str, parts: str) -> None:
    layers = read_lora(_file(path, prefix, parts), _RULES)

    down, up = _pair(path)
    assert [path] == list(layers)
    np.testing.assert_array_equal(down.numpy(), layers[path].down)
    np.testing.assert_array_equal(up.numpy(), layers[path].up)


@pytest.mark.parametrize(
    ("metadata", "tensor_alpha", "scale"),
    [
        ({}, None, 1.0),
        ({"alpha": "1", "rank": "2"}, None, 0.5),
        ({"lora_adapter_metadata": '{"unet.r": 2, "unet.lora_alpha": 4}'}, None, 2.0),
        ({"alpha": "4"}, 1.0, 0.5),
    ],
    ids=["absent", "ours", "diffusers", "tensor-wins"],
)
def test_alpha_over_rank_is_folded_into_up(
    metadata: dict[str, str], tensor_alpha: float | None, scale: float
) -> None:
    more = {} if tensor_alpha is None else {f"{_Q}.alpha": torch.tensor(tensor_alpha)}
    data = _file(_Q, _Q, _PEFT, metadata, **more)

    layer = read_lora(data, _RULES)[_Q]

    np.testing.assert_allclose(layer.up, _pair(_Q)[1].numpy() * scale)


def test_linear_matrices_for_a_1x1_convolution_take_its_shape() -> None:
    data = save(
        {"unet.proj_in.lora_A.weight": torch.ones(2, 8), "unet.proj_in.lora_B.weight": torch.ones(8, 2)}
    )

    layer = read_lora(data, _RULES)["unet.proj_in"]

    assert (layer.down.shape, layer.up.shape) == ((2, 8, 1, 1), (8, 2, 1, 1))


def test_half_precision_is_read_as_float32() -> None:
    down, up = (tensor.to(torch.bfloat16) for tensor in _pair(_Q))

    layer = read_lora(save({f"{_Q}.lora_A.weight": down, f"{_Q}.lora_B.weight": up}), _RULES)[_Q]

    assert np.float32 == layer.down.dtype == layer.up.dtype
    np.testing.assert_array_equal(down.float().numpy(), layer.down)


def _named(key: str, shape: tuple[int, ...] = (2, 6)) -> bytes:
    return save({key: torch.ones(shape)})


_WHOLE = (f"{_Q}.lora_A.weight", f"{_Q}.lora_B.weight")


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"PK\x03\x04 a pickle perhaps", "not a readable safetensors file"),
        (save({}), "holds no layers"),
        (_file(_Q, _Q, _PEFT, {"base_model_sha256": "cd" * 32}), "another base model"),
        (_named("unet.nowhere.lora_A.weight"), "no layer unet.nowhere"),
        (_named(f"{_Q}.lora_A.weight"), "only one of its two matrices"),
        (_named(f"{_Q}.dora_scale"), "DoRA"),
        (save({_WHOLE[0]: torch.ones(5, 6), _WHOLE[1]: torch.ones(8, 5)}), "rank 5"),
        (save({_WHOLE[0]: torch.ones(2, 7), _WHOLE[1]: torch.ones(8, 2)}), "8x6 in the model"),
        (save({_WHOLE[0]: torch.ones(2, 6) * np.nan, _WHOLE[1]: torch.ones(8, 2)}), "not finite"),
        (
            _file(_Q, _Q, _PEFT, {"lora_adapter_metadata": '{"unet.alpha_pattern": {"a": 1}}'}),
            "alpha_pattern",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_applied_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(LoraUnreadable, match=cause):
        read_lora(data, _RULES)
