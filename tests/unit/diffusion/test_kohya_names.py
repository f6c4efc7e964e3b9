"""kohya's names for SDXL follow the original's block order: checked against diffusers' own conversion."""

import re
from typing import Any

import pytest
import torch
from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers

from services.diffusion.adapters.kohya_names import KohyaNames, _original_names

_SIDES = {"input_blocks": "down_blocks", "middle_block": "mid_block", "output_blocks": "up_blocks"}
_RENAMED = re.compile("|".join(_SIDES))


@pytest.fixture(scope="module")
def unet() -> Any:
    """SDXL's arrangement of blocks, a few channels wide."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(4, 8, 8),
        layers_per_block=2,
        norm_num_groups=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 2),
        cross_attention_dim=8,
        attention_head_dim=2,
        use_linear_projection=True,
    )


def _layers(unet: Any) -> list[str]:
    kinds = torch.nn.Linear | torch.nn.Conv2d
    return [name for name, module in unet.named_modules() if isinstance(module, kinds)]


def test_block_layers_map_to_what_diffusers_converts_them_from(unet: Any) -> None:
    attentions = [path for path in _layers(unet) if "attentions" in path]
    flat = _original_names(_layers(unet))
    state = {f"lora_unet_{flat[path]}.lora_down.weight": torch.zeros(1) for path in attentions}

    theirs = _maybe_map_sgm_blocks_to_diffusers(dict(state), unet.config)

    # They number the blocks first and rename them in a second step.
    renamed = {_RENAMED.sub(lambda side: _SIDES[side[0]], key) for key in theirs}
    assert renamed == {f"lora_unet_{path.replace('.', '_')}.lora_down.weight" for path in attentions}
    assert len(attentions) > 50


def test_names_are_the_ones_that_sd_scripts_writes(unet: Any) -> None:
    names = KohyaNames([f"unet.{path}" for path in _layers(unet)])

    def found(flat: str) -> str | None:
        return names.path(f"lora_unet_{flat}")

    attention = "transformer_blocks_1_attn2_to_out_0"
    assert (
        found(f"input_blocks_5_1_{attention}")
        == "unet.down_blocks.1.attentions.1.transformer_blocks.1.attn2.to_out.0"
    )
    assert found("output_blocks_2_1_proj_in") == "unet.up_blocks.0.attentions.2.proj_in"
    assert found("output_blocks_2_2_conv") == "unet.up_blocks.0.upsamplers.0.conv"
    assert found("input_blocks_3_0_op") == "unet.down_blocks.0.downsamplers.0.conv"
    assert found("input_blocks_4_0_skip_connection") == "unet.down_blocks.1.resnets.0.conv_shortcut"
    assert found("middle_block_2_out_layers_3") == "unet.mid_block.resnets.1.conv2"
    assert found("input_blocks_0_0") == "unet.conv_in"


def test_every_layer_has_one_original_name_at_most(unet: Any) -> None:
    flat = list(_original_names(_layers(unet)).values())

    assert len(set(flat)) == len(flat) > 100


def test_unknown_layers_keep_their_name_for_the_error(unet: Any) -> None:
    names = KohyaNames(["unet.conv_in"])

    assert names.path("lora_unet_nowhere_0") == "unet.nowhere_0"
    assert names.path("unet.conv_in") is None
