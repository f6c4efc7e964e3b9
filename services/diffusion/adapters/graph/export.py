"""Writes a model folder's UNet as an ONNX graph with adapters and identity as inputs."""

import tempfile
import warnings
from pathlib import Path

import torch
from torch.jit._trace import TracerWarning

from services.diffusion.adapters.graph.digest import graph_digest
from services.diffusion.adapters.graph.files import write_graphs
from services.diffusion.adapters.graph.operations import UPDATE_DOMAIN
from services.diffusion.adapters.graph.sidecar import GROUPS, UNetGraph
from services.diffusion.adapters.graph.unet import GraphUNet
from services.diffusion.adapters.ip_adapter import read_ip_adapter
from shared.sdmodels import ModelFolder, ModelUnsupported, load_unet

_OPSET = 18
_BLOCKS = {"DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"}
# The exporter's own words on itself and on Python values in the trace. All of these are shapes that the
# graph computes again, which the tests show with other shapes than those of the trace.
_EXPECTED_WARNINGS = (
    (DeprecationWarning, "You are using the legacy TorchScript-based ONNX export"),
    (DeprecationWarning, "The feature will be removed"),
    (TracerWarning, ""),
)


def export_unet(folder: ModelFolder, target: Path) -> UNetGraph:
    """Write unet.onnx, its variants, unet.onnx.data and unet.json into the existing, empty folder *target*.

    Weights stay float32; batch, rank, latent size and context length are free. About 10 s and twice the
    weights in memory.

    Raises:
        ModelUnsupported: The UNet has blocks or conditions that the graph lacks.
    """
    _check(folder)
    attention = read_ip_adapter(folder.ip_adapter_file)[1] if folder.ip_adapter_file else None
    unet = load_unet(folder)
    config = unet.config
    module = GraphUNet(unet, attention).eval()
    graph = UNetGraph(
        folder=target,
        digest=graph_digest(folder),
        layers=module.layout.layers,
        input_names=module.input_names,
        identity_tokens=_identity_tokens(folder, config.cross_attention_dim),
        context_width=config.cross_attention_dim,
        latent_channels=config.in_channels,
        out_channels=config.out_channels,
        pooled_width=_pooled_width(config) if "pooled" in module.input_names else 0,
        opset=_OPSET,
        exporter=f"torch {torch.__version__} TorchScript",
    )
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        # Weights of more than 2 GB go into many files of their own beside this one.
        exported = Path(work) / "unet.onnx"
        _export(module, graph, exported)
        write_graphs(exported, target)
    graph.write()
    return graph


def _check(folder: ModelFolder) -> None:
    config = folder.unet_config
    blocks = {*config["down_block_types"], *config["up_block_types"]}
    if unknown := blocks - _BLOCKS:
        raise ModelUnsupported(folder.path, f"the graph has no {', '.join(sorted(unknown))}")
    for key in ("encoder_hid_dim", "class_embed_type", "time_cond_proj_dim"):
        if config.get(key):
            raise ModelUnsupported(folder.path, f"the graph has no input for {key}")


@torch.inference_mode()
def _export(module: GraphUNet, graph: UNetGraph, file: Path) -> None:
    with warnings.catch_warnings():
        for category, text in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", text, category)
        torch.onnx.export(
            module,
            tuple(_example(graph).values()),
            str(file),
            input_names=list(graph.input_names),
            output_names=["prediction"],
            dynamic_axes=_free_axes(graph),
            opset_version=graph.opset,
            custom_opsets={UPDATE_DOMAIN: 1},
            # The TorchScript exporter: its graphs carry the least overhead for adapters as inputs.
            dynamo=False,
        )


def _example(graph: UNetGraph) -> dict[str, torch.Tensor]:
    """Inputs for the trace: odd sizes, so that upsampling follows the skip connections' sizes."""
    rows, rank, side, tokens = 2, 3, 2 * 8 + 1, 5
    shapes = {
        "latents": (rows, graph.latent_channels, side, side + 2),
        "timesteps": (rows,),
        "context": (rows, tokens, graph.context_width),
        "pooled": (rows, graph.pooled_width),
        "size_ids": (rows, 6),
        "identity_tokens": (rows, graph.identity_tokens, graph.context_width),
        "identity_scales": (rows,),
        **{group: (rows, rank, width) for group, width in graph.layout.widths.items()},
    }
    return {name: torch.zeros(shapes[name]) for name in graph.input_names}


def _free_axes(graph: UNetGraph) -> dict[str, dict[int, str]]:
    batch = {name: {0: "B"} for name in (*graph.input_names, "prediction")}
    for name in ("latents", "prediction"):
        batch[name] |= {2: "h", 3: "w"}
    batch["context"][1] = "T"
    for group in GROUPS:
        batch[group][1] = group.replace("lora", "R")
    return batch


def _identity_tokens(folder: ModelFolder, context_width: int) -> int:
    if not folder.ip_adapter_file:
        return 0
    projection, _ = read_ip_adapter(folder.ip_adapter_file)
    return int(projection["proj.2.weight"].shape[0]) // context_width


def _pooled_width(config: object) -> int:
    """Width of the pooled text: what the embedding takes besides the six embedded size ids."""
    total: int = config.projection_class_embeddings_input_dim  # type: ignore[attr-defined]
    ids: int = config.addition_time_embed_dim  # type: ignore[attr-defined]
    return total - 6 * ids
