"""Writes tiny Stable Diffusion folders with random weights: real file layout, sub-second to make and run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EMBEDDING_SIZE = 128
CONTEXT_SIZE = 16
_XL = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 4,
    "projection_class_embeddings_input_dim": 6 * 4 + CONTEXT_SIZE,
    "use_linear_projection": True,
}


@dataclass(frozen=True)
class TinySd:
    """What to vary between tests; the defaults give 8 latent cells for 16 px (2 px per cell)."""

    seed: int = 0
    space_to_depth: int = 1
    has_deterministic_vae: bool = False
    shift_factor: float | None = None
    ip_adapter: bool = True
    xl: bool = False
    prediction_type: str = "epsilon"
    token_limit: int = 16


def make_tiny_sd(path: Path, spec: TinySd = TinySd()) -> Path:
    """Create the folder *path*; the same spec always gives the same bytes of weights."""
    import torch
    from diffusers import DDPMScheduler

    state = torch.get_rng_state()
    torch.manual_seed(spec.seed)
    try:
        unet = _unet(spec)
        unet.save_pretrained(path / "unet")
        _save_vae(path, spec)
        _save_text(path, spec, "")
        if spec.xl:
            _save_text(path, spec, "_2")
        if spec.ip_adapter:
            _save_ip_adapter(path, unet)
    finally:
        torch.set_rng_state(state)
    DDPMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type=spec.prediction_type,
        clip_sample=False,
        steps_offset=1,
    ).save_pretrained(path / "scheduler")
    (path / "model_index.json").write_text(json.dumps(_index(spec), indent=2))
    return path


def add_control_net(path: Path, spec: TinySd = TinySd()) -> Path:
    """Add controlnet/ with random weights to the folder *path* made from *spec*; returns *path*."""
    import torch
    from diffusers import ControlNetModel

    state = torch.get_rng_state()
    torch.manual_seed(spec.seed + 5)
    try:
        network = ControlNetModel(
            in_channels=4,
            layers_per_block=1,
            block_out_channels=(8, 16),
            norm_num_groups=4,
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            cross_attention_dim=2 * CONTEXT_SIZE if spec.xl else CONTEXT_SIZE,
            attention_head_dim=2,
            **(_XL if spec.xl else {}),
            # One halving, as a latent cell of these folders is 2 px wide.
            conditioning_embedding_out_channels=(4, 8),
        )
        # ControlNets start with zeros at their ends, which would hide whatever the tests look for.
        for module in [*network.controlnet_down_blocks, network.controlnet_mid_block]:
            torch.nn.init.normal_(module.weight, std=0.2)
        torch.nn.init.normal_(network.controlnet_cond_embedding.conv_out.weight, std=0.2)
    finally:
        torch.set_rng_state(state)
    network.save_pretrained(path / "controlnet")
    return path


def save_random_lora(
    unet: Any,
    file: Path,
    *,
    seed: int,
    rank: int = 3,
    metadata: dict[str, str] | None = None,
    targets: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0"),
) -> Path:
    """Write a LoRA with diffusers keys for every module of *unet* whose name ends in one of *targets*."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, module in unet.named_modules():
        if not name.endswith(targets) or not hasattr(module, "weight"):
            continue
        out_size, in_size, *kernel = module.weight.shape
        tensors[f"unet.{name}.lora_A.weight"] = 0.3 * torch.randn(rank, in_size, *kernel, generator=generator)
        ones = [1] * len(kernel)
        tensors[f"unet.{name}.lora_B.weight"] = 0.3 * torch.randn(out_size, rank, *ones, generator=generator)
    save_file(tensors, file, metadata=metadata or {})
    return file


def _unet(spec: TinySd) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16),
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=2 * CONTEXT_SIZE if spec.xl else CONTEXT_SIZE,
        attention_head_dim=2,
        **(_XL if spec.xl else {}),
    )


def _save_vae(path: Path, spec: TinySd) -> None:
    channels = 3 * spec.space_to_depth**2
    made = _deterministic_vae(channels) if spec.has_deterministic_vae else _spread_vae(channels, spec)
    made.save_pretrained(path / "vae")
    if spec.space_to_depth > 1:
        (path / "vae" / "fold.json").write_text(json.dumps({"space_to_depth": spec.space_to_depth}))


def _deterministic_vae(channels: int) -> Any:
    from diffusers import AutoencoderDC

    return AutoencoderDC(
        in_channels=channels,
        latent_channels=4,
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        encoder_qkv_multiscales=((), ()),
        decoder_qkv_multiscales=((), ()),
        scaling_factor=0.5,
    )


def _spread_vae(channels: int, spec: TinySd) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=channels,
        out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        latent_channels=4,
        sample_size=16,
        scaling_factor=0.5,
        shift_factor=spec.shift_factor,
    )


def _save_text(path: Path, spec: TinySd, suffix: str) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789,.-"
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {word: index for index, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    begin, end = vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=CONTEXT_SIZE,
        intermediate_size=32,
        projection_dim=CONTEXT_SIZE,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=spec.token_limit,
        bos_token_id=begin,
        eos_token_id=end,
        pad_token_id=end,
    )
    encoder = CLIPTextModelWithProjection(config) if suffix else CLIPTextModel(config)
    encoder.save_pretrained(path / f"text_encoder{suffix}")
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=spec.token_limit)
    tokenizer.save_pretrained(path / f"tokenizer{suffix}")


def _save_ip_adapter(path: Path, unet: Any) -> None:
    """IP-Adapter FaceID keys: a two-layer projection to 4 tokens, to_k_ip and to_v_ip per cross-attention."""
    import torch
    from safetensors.torch import save_file

    width = unet.config.cross_attention_dim
    tensors = {
        "image_proj.proj.0.weight": torch.randn(2 * EMBEDDING_SIZE, EMBEDDING_SIZE) * 0.1,
        "image_proj.proj.0.bias": torch.randn(2 * EMBEDDING_SIZE) * 0.1,
        "image_proj.proj.2.weight": torch.randn(4 * width, 2 * EMBEDDING_SIZE) * 0.1,
        "image_proj.proj.2.bias": torch.randn(4 * width) * 0.1,
        "image_proj.norm.weight": 1 + torch.randn(width) * 0.1,
        "image_proj.norm.bias": torch.randn(width) * 0.1,
    }
    for index, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            inner = unet.get_submodule(name.removesuffix(".processor")).to_q.out_features
            tensors[f"ip_adapter.{index}.to_k_ip.weight"] = torch.randn(inner, width) * 0.2
            tensors[f"ip_adapter.{index}.to_v_ip.weight"] = torch.randn(inner, width) * 0.2
    save_file(tensors, path / "ip_adapter.safetensors")


def _index(spec: TinySd) -> dict[str, Any]:
    text = {"text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"]}
    if spec.xl:
        text |= {
            "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
            "tokenizer_2": ["transformers", "CLIPTokenizer"],
        }
    return {
        "_class_name": "StableDiffusionXLPipeline" if spec.xl else "StableDiffusionPipeline",
        "_diffusers_version": "0.42.1",
        **text,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderDC" if spec.has_deterministic_vae else "AutoencoderKL"],
        "scheduler": ["diffusers", "DDPMScheduler"],
    }
