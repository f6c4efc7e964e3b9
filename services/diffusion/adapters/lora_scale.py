"""The scale of a LoRA's layers: alpha as a tensor, in our metadata, or in the configuration of peft."""

import json
import math
from collections.abc import Mapping
from typing import Any

from services.diffusion.adapters.lora_keys import LoraUnreadable
from shared.sdmodels import LoraMetadata


class LoraScale:
    """Says by what the product of a layer's matrices is multiplied.

    Args:
        metadata: The file's safetensors metadata.

    Raises: LoraUnreadable for a configuration that asks for more than LoRA, ValueError for an unreadable one.
    """

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._alpha = LoraMetadata.from_safetensors(metadata).alpha
        stored: dict[str, Any] = json.loads(metadata.get("lora_adapter_metadata", "{}"))
        self._config = stored
        for name, value in stored.items():
            if value and name.endswith("use_dora"):
                raise LoraUnreadable("its configuration asks for DoRA, which is not supported")
            if value and name.endswith("alpha_pattern") and not isinstance(value, dict):
                raise LoraUnreadable("its alpha_pattern is no table of layers")

    def of(self, path: str, rank: int, tensor_alpha: float | None) -> float:
        """Alpha / rank of the layer *path* (with its component); alpha / sqrt(rank) for rsLoRA; 1 unstated.

        A tensor in the file wins over our metadata, those over peft's configuration; there a layer's own
        entry wins over the component's.
        """
        alpha = tensor_alpha
        if alpha is None:
            alpha = self._alpha
        if alpha is None:
            alpha = self._configured(path)
        if alpha is None:
            return 1.0
        component = path.partition(".")[0]
        # Rank-stabilised LoRA (Kalajdzievski, arXiv 2312.03732).
        return alpha / (math.sqrt(rank) if self._value(component, "use_rslora") else rank)

    def _configured(self, path: str) -> float | None:
        component, _, layer = path.partition(".")
        for name, alpha in (self._value(component, "alpha_pattern") or {}).items():
            # peft takes regular expressions here but writes names; an expression of a stranger is not run.
            if layer == name or layer.endswith(f".{name}"):
                return float(alpha)
            if not name.replace(".", "_").isidentifier():
                raise LoraUnreadable(f"its alpha_pattern {name[:60]} is no plain layer name")
        alpha = self._value(component, "lora_alpha")
        return None if alpha is None else float(alpha)

    def _value(self, component: str, name: str) -> Any:
        return self._config.get(f"{component}.{name}", self._config.get(name))
