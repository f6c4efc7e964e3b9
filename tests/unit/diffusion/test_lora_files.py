"""LoRA files in every key style become the same layers; what cannot be applied is refused with its cause."""

import json
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


def _peft(config: Mapping[str, object]) -> dict[str, str]:
    """The metadata that diffusers writes for a peft configuration."""
    return {"lora_adapter_metadata": json.dumps(config)}


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
        (_peft({"unet.r": 2, "unet.lora_alpha": 4, "text_encoder.lora_alpha": 9}), None, 2.0),
        (_peft({"lora_alpha": 3}), None, 1.5),
        (_peft({"lora_alpha": 3, "alpha_pattern": {"to_q": 5, "to_k": 1}}), None, 2.5),
        (_peft({"unet.lora_alpha": 4, "unet.use_rslora": True}), None, 4 / 2**0.5),
        ({"alpha": "4"}, 1.0, 0.5),
        ({"alpha": "4"}, [1.0], 0.5),
    ],
    ids=["absent", "ours", "diffusers", "peft", "layer", "rank-stabilised", "tensor-wins", "alpha-1d"],
)
def test_alpha_over_rank_is_folded_into_up(
    metadata: dict[str, str], tensor_alpha: float | list[float] | None, scale: float
) -> None:
    more = {} if tensor_alpha is None else {f"{_Q}.alpha": torch.tensor(tensor_alpha)}
    data = _file(_Q, _Q, _PEFT, metadata, **more)

    layer = read_lora(data, _RULES)[_Q]

    np.testing.assert_allclose(layer.up, _pair(_Q)[1].numpy() * scale, rtol=1e-6)


def test_linear_matrices_for_a_1x1_convolution_take_its_shape() -> None:
    data = save(
        {"unet.proj_in.lora_A.weight": torch.ones(2, 8), "unet.proj_in.lora_B.weight": torch.ones(8, 2)}
    )

    layer = read_lora(data, _RULES)["unet.proj_in"]

    assert (layer.down.shape, layer.up.shape) == ((2, 8, 1, 1), (8, 2, 1, 1))


def test_layers_of_one_file_may_differ_in_rank_and_alpha() -> None:
    (down, up), (out_down, out_up) = _pair(_Q, rank=1), _pair(_OUT, rank=3)
    data = save(
        {
            f"{_Q}.lora_A.weight": down,
            f"{_Q}.lora_B.weight": up,
            f"{_Q}.alpha": torch.tensor(2.0),
            f"{_OUT}.lora_A.weight": out_down,
            f"{_OUT}.lora_B.weight": out_up,
            f"{_OUT}.alpha": torch.tensor(3.0),
        }
    )

    layers = read_lora(data, _RULES)

    assert [layers[_Q].rank, layers[_OUT].rank] == [1, 3]
    np.testing.assert_allclose(layers[_Q].up, up.numpy() * 2)
    np.testing.assert_allclose(layers[_OUT].up, out_up.numpy())


def test_a_file_for_the_text_encoder_alone_is_fine() -> None:
    assert list(read_lora(_file(_TE, _KOHYA_TE, _KOHYA), _RULES)) == [_TE]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_read_as_float32(dtype: torch.dtype) -> None:
    down, up = (tensor.to(dtype) for tensor in _pair(_Q))

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
        (_named(f"{_Q}.dora_scale"), "DoRA is not supported"),
        (_named(f"{_Q}.lora_magnitude_vector.default.weight"), "DoRA is not supported"),
        (_named(f"lora_{_Q.replace('.', '_')}.hada_w1_a"), "LoHa is not supported"),
        (_named(f"lora_{_Q.replace('.', '_')}.lokr_w1"), "LoKr is not supported"),
        (_named("lora_unet_conv_in.lora_mid.weight", (2, 2, 3, 3)), "middle matrix is not supported"),
        (_named(f"{_Q}.diff"), "full difference of weights is not supported"),
        (_named(f"{_Q}.lora_B.bias"), "biases is not supported"),
        (_named(f"{_Q}.something"), "no LoRA matrix$"),
        (_named(f"lora_unet_{'nowhere'}.lora_down.weight"), "no layer unet.nowhere"),
        (save({_WHOLE[0]: torch.ones(2), _WHOLE[1]: torch.ones(8, 2)}), "8x6 in the model"),
        (
            _file(_Q, _Q, _PEFT, **{f"{_Q}.lora.down.weight": torch.ones(2, 6)}),
            "there twice",
        ),
        (_file(_Q, _Q, _PEFT, _peft({"unet.use_dora": True})), "DoRA"),
        (save({_WHOLE[0]: torch.ones(5, 6), _WHOLE[1]: torch.ones(8, 5)}), "rank 5"),
        (save({_WHOLE[0]: torch.ones(2, 7), _WHOLE[1]: torch.ones(8, 2)}), "8x6 in the model"),
        (save({_WHOLE[0]: torch.ones(2, 6) * np.nan, _WHOLE[1]: torch.ones(8, 2)}), "not finite"),
        (
            _file(_Q, _Q, _PEFT, _peft({"unet.alpha_pattern": {"(a+)+": 1}})),
            "no plain layer name",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_applied_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(LoraUnreadable, match=cause):
        read_lora(data, _RULES)
