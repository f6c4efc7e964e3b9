"""Layer names as kohya's sd-scripts writes them: dots as underscores, for SDXL in the original's block order.

Only the model's own layers tell which underscore was a dot, so all their flat names are made once.
"""

import re
from collections.abc import Iterable, Mapping

_COMPONENTS = {
    "lora_unet_": "unet",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
}
# Inside of a residual block the original numbers what diffusers names.
_RESNET = {
    "conv1": "in_layers_2",
    "time_emb_proj": "emb_layers_1",
    "conv2": "out_layers_3",
    "conv_shortcut": "skip_connection",
}
_BLOCK = re.compile(
    r"(down_blocks|up_blocks)\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)"
)
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")
_OUTSIDE = {
    "conv_in": "input_blocks_0_0",
    "conv_out": "out_2",
    "time_embedding.linear_1": "time_embed_0",
    "time_embedding.linear_2": "time_embed_2",
    "add_embedding.linear_1": "label_emb_0_0",
    "add_embedding.linear_2": "label_emb_0_2",
}


class KohyaNames:
    """Finds the layers of one model under kohya's names.

    Args:
        paths: Layer paths of the model with their component in front ("unet.down_blocks.0...to_q").
    """

    def __init__(self, paths: Iterable[str]) -> None:
        paths = list(paths)
        self._paths = {path.replace(".", "_"): path for path in paths}
        inner = [path.removeprefix("unet.") for path in paths if path.startswith("unet.")]
        self._paths |= {f"unet_{flat}": f"unet.{path}" for path, flat in _original_names(inner).items()}

    def path(self, name: str) -> str | None:
        """The layer that *name* means, a name of kohya's kind for unknown layers; None for other styles."""
        for prefix, component in _COMPONENTS.items():
            if name.startswith(prefix):
                flat = name.removeprefix(prefix)
                # transformers 5 dropped the level "text_model" from the names of CLIP's modules.
                flat = flat if component == "unet" else flat.removeprefix("text_model_")
                return self._paths.get(f"{component}_{flat}", f"{component}.{flat}")
        return None


def _original_names(paths: Iterable[str]) -> Mapping[str, str]:
    """Flat names of UNet layers as in Stable Diffusion's original code, whose blocks are one long list."""
    paths = list(paths)
    blocks = [match for path in paths if (match := _BLOCK.fullmatch(path))]
    per_block = 1 + max((int(m[4]) for m in blocks if m[1] == "down_blocks" and m[3] == "resnets"), default=0)
    with_attention = {(m[1], m[2]) for m in blocks if m[3] == "attentions"}
    names = {}
    for path in paths:
        if flat := _original_name(path, per_block, with_attention):
            names[path] = flat.replace(".", "_")
    return names


def _original_name(path: str, per_block: int, with_attention: set[tuple[str, str]]) -> str | None:
    if path in _OUTSIDE:
        return _OUTSIDE[path]
    if match := _MIDDLE.fullmatch(path):
        kind, number, rest = match[1], int(match[2]), match[3]
        place = 2 * number if kind == "resnets" else 2 * number + 1
        return f"middle_block_{place}_{_inside(kind, rest)}"
    if (match := _BLOCK.fullmatch(path)) is None:
        return None
    side, block, kind, number, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    if side == "down_blocks":
        # After the first convolution, each block is `per_block` layers and, but for the last, a downsampler.
        place = 1 + block * (per_block + 1) + (per_block if kind == "downsamplers" else number)
        part = 1 if kind == "attentions" else 0
        inner = "op" if kind == "downsamplers" else _inside(kind, rest)
        return f"input_blocks_{place}_{part}_{inner}"
    # Upwards each block has one layer more; the upsampler follows the last layer's attention, if it has one.
    has_attention = (side, match[2]) in with_attention
    place = block * (per_block + 1) + (per_block if kind == "upsamplers" else number)
    part = {"resnets": 0, "attentions": 1, "upsamplers": 2 if has_attention else 1}[kind]
    return f"output_blocks_{place}_{part}_{_inside(kind, rest)}"


def _inside(kind: str, rest: str) -> str:
    return _RESNET.get(rest, rest) if kind == "resnets" else rest
