"""What the tensor names of a LoRA file mean: diffusers (two styles), peft and kohya."""

import re
from collections.abc import Iterable

from services.diffusion.adapters.kohya_names import KohyaNames


class LoraUnreadable(Exception):
    """The file is no LoRA for this model; the text is the public cause, without a full stop."""


# Endings of the tensor names: peft, peft with an adapter name, diffusers, kohya.
_PARTS = {
    "lora_A.weight": "down",
    "lora_A.default.weight": "down",
    "lora.down.weight": "down",
    "lora_linear_layer.down.weight": "down",
    "down.weight": "down",
    "lora_down.weight": "down",
    "lora_B.weight": "up",
    "lora_B.default.weight": "up",
    "lora.up.weight": "up",
    "lora_linear_layer.up.weight": "up",
    "up.weight": "up",
    "lora_up.weight": "up",
    "alpha": "alpha",
}
# What else such files hold, by a part of the tensor's name; to leave it out would draw another picture.
_OTHER_KINDS = {
    "dora_scale": "DoRA",
    "lora_magnitude_vector": "DoRA",
    "hada_w": "LoHa",
    "hada_t": "LoHa",
    "lokr_w": "LoKr",
    "lokr_t": "LoKr",
    "lora_mid": "a LoCon with a middle matrix",
    "oft_": "OFT",
    "on_input": "IA3",
    "diff_b": "a full difference of weights",
    "diff": "a full difference of weights",
    "lora_B.bias": "a LoRA with biases",
    "lora_B.default.bias": "a LoRA with biases",
    "modules_to_save": "a LoRA with whole layers",
}
_COMPONENTS = ("unet", "text_encoder", "text_encoder_2")


class LoraKeys:
    """Reads the tensor names of files for one model, given its layer paths."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._kohya = KohyaNames(paths)

    def split(self, key: str) -> tuple[str, str]:
        """Layer path with its component in front, and the part: "down", "up" or "alpha".

        Raises: LoraUnreadable for a tensor that is none of them.
        """
        suffix = next((suffix for suffix in _PARTS if key.endswith(f".{suffix}")), None)
        if suffix is None:
            kind = next((kind for part, kind in _OTHER_KINDS.items() if part in key), None)
            raise LoraUnreadable(f"{key} is no LoRA matrix" + (f": {kind} is not supported" if kind else ""))
        path = key.removesuffix(f".{suffix}")
        return self._kohya.path(path) or _plain_path(path), _PARTS[suffix]


def _plain_path(path: str) -> str:
    path = path.removeprefix("base_model.model.")
    if not path.startswith(tuple(f"{component}." for component in _COMPONENTS)):
        path = f"unet.{path}"
    # transformers 5 dropped the level "text_model" from the names of CLIP's modules.
    path = re.sub(r"^(text_encoder(?:_2)?)\.text_model\.", r"\1.", path)
    # diffusers' first key style: ...attn1.processor.to_q_lora.down.weight
    path = re.sub(r"\.processor\.(to_[qkv])_lora$", r".\1", path)
    return re.sub(r"\.processor\.to_out_lora$", ".to_out.0", path)
