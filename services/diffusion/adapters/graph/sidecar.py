"""unet.json: what a runtime must know of the graph beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from services.diffusion.adapters.packed_lora import LoraLayout, PackedLayer

# Raise it whenever the graph or this file changes its meaning: cached graphs of other formats are not used.
FORMAT_VERSION = 3
GRAPH_FILE, DATA_FILE, SIDECAR_FILE = "unet.onnx", "unet.onnx.data", "unet.json"

# Matrices of the graph, in the order of its inputs, and the layers in each. What an identity adapter touches
# is apart from what a style may touch besides; everything outside the transformer blocks is "residual".
ATTENTION, FEEDFORWARD, RESIDUAL = "lora_attention", "lora_feedforward", "lora_residual"
GROUPS = (ATTENTION, FEEDFORWARD, RESIDUAL)


@dataclass(frozen=True)
class Variant:
    """The same graph with the inputs of some groups only; less to compute for rows that need no others."""

    file_name: str
    groups: tuple[str, ...]


# From the least to the whole.
VARIANTS = (
    Variant("unet.attention.onnx", (ATTENTION,)),
    Variant("unet.transformer.onnx", (ATTENTION, FEEDFORWARD)),
    Variant("unet.residual.onnx", (ATTENTION, RESIDUAL)),
    Variant(GRAPH_FILE, GROUPS),
)


@dataclass(frozen=True)
class UNetGraph:
    """An exported UNet in *folder*: unet.onnx, its variants, unet.onnx.data with the weights, unet.json.

    Attributes:
        digest: Model digest; of the IP-Adapter too, where the graph holds one (see `graph_digest`).
        input_names: Inputs in their order, all float32.
        identity_tokens: Tokens of one identity; 0 = the graph has no identity inputs.
        context_width: Width of text and identity tokens.
        latent_channels: Channels of `latents`.
        out_channels: Channels of the output `prediction`.
        pooled_width: Width of SDXL's pooled text; 0 = the graph has neither `pooled` nor `size_ids`.
    """

    folder: Path
    digest: str
    layers: tuple[PackedLayer, ...]
    input_names: tuple[str, ...]
    identity_tokens: int
    context_width: int
    latent_channels: int
    out_channels: int
    pooled_width: int
    opset: int
    exporter: str

    @property
    def file(self) -> Path:
        """The ONNX file with all groups of adapters."""
        return self.folder / GRAPH_FILE

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What the folder holds, from the least to the whole."""
        return tuple(variant for variant in VARIANTS if (self.folder / variant.file_name).exists())

    @cached_property
    def layout(self) -> LoraLayout:
        """How adapters are packed for this graph."""
        return LoraLayout(self.layers)

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change, by path with the component in front."""
        return {
            f"unet.{layer.path}": (layer.out_size, layer.in_size, *(layer.kernel if _is_conv(layer) else ()))
            for layer in self.layers
        }

    def write(self) -> None:
        """Write unet.json."""
        content = {
            "format_version": FORMAT_VERSION,
            "model_digest": self.digest,
            "exporter": self.exporter,
            "opset": self.opset,
            "inputs": self.input_names,
            "output": "prediction",
            "latent_channels": self.latent_channels,
            "out_channels": self.out_channels,
            "context_width": self.context_width,
            "pooled_width": self.pooled_width,
            "identity_tokens": self.identity_tokens,
            "lora_inputs": self.layout.widths,
            "layers": [asdict(layer) for layer in self.layers],
        }
        (self.folder / SIDECAR_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_graph(folder: Path) -> UNetGraph | None:
    """The graph in *folder*; None if there is none or its format is another one."""
    file = folder / SIDECAR_FILE
    if not file.exists() or not (folder / GRAPH_FILE).exists():
        return None
    content = json.loads(file.read_text(encoding="utf-8"))
    if content.get("format_version") != FORMAT_VERSION:
        return None
    return graph_of(content, folder)


def graph_of(content: Mapping[str, Any], folder: Path) -> UNetGraph:
    """The graph that the content of a unet.json of this format describes."""
    return UNetGraph(
        folder=folder,
        digest=content["model_digest"],
        layers=_layers(content["layers"]),
        input_names=tuple(content["inputs"]),
        identity_tokens=content["identity_tokens"],
        context_width=content["context_width"],
        latent_channels=content["latent_channels"],
        out_channels=content["out_channels"],
        pooled_width=content["pooled_width"],
        opset=content["opset"],
        exporter=content["exporter"],
    )


def _layers(entries: Sequence[dict[str, Any]]) -> tuple[PackedLayer, ...]:
    pairs = ("kernel", "stride", "padding")
    return tuple(PackedLayer(**{**entry, **{key: tuple(entry[key]) for key in pairs}}) for entry in entries)


def _is_conv(layer: PackedLayer) -> bool:
    return layer.kind == "conv"
