"""The same network in the same runtime without adapters: what weights merged for one person would cost."""

import dataclasses
import shutil
import warnings
from pathlib import Path
from typing import Any

import torch

from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.graph.unet import GraphUNet
from services.diffusion.adapters.ip_adapter import read_ip_adapter
from services.diffusion.adapters.onnx_unet import OnnxUNet
from services.diffusion.adapters.openvino_unet import OpenvinoUNet
from services.diffusion.adapters.torch_unet import TorchUNet
from services.diffusion.domain.ports import UNetBackend
from shared.sdmodels import load_unet, open_model_folder


class MergedGraph(GraphUNet):
    """The graph with the layers' own weights only; their values do not change the cost."""

    def __init__(self, unet: Any, ip_attention: Any) -> None:
        super().__init__(unet, ip_attention)
        for layer in self.layout.layers:
            self.unet.set_submodule(layer.path, self.unet.get_submodule(layer.path).base)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, without the adapters'."""
        return tuple(name for name in super().input_names if name not in self.layout.widths)

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        """Predictions [B, C, h, w]."""
        named = dict(zip(self.input_names, given, strict=True))
        if self._identity:
            self._identity.current = named["identity_tokens"], named["identity_scales"]
        prediction: torch.Tensor = self.unet(
            named["latents"], named["timesteps"], named["context"], return_dict=False
        )[0]
        return prediction


def merged_graph(like: UNetGraph, weights: Path, folder: Path) -> UNetGraph:
    """Exports the network of *weights* without adapters into *folder*, with the options of *like*."""
    model = open_model_folder(weights)
    attention = read_ip_adapter(model.ip_adapter_file)[1] if model.ip_adapter_file else None
    module = MergedGraph(load_unet(model), attention).eval()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    graph = dataclasses.replace(like, folder=folder, layers=(), input_names=module.input_names)
    rows, side, tokens = 2, 17, 5
    shapes = {
        "latents": (rows, like.latent_channels, side, side + 2),
        "timesteps": (rows,),
        "context": (rows, tokens, like.context_width),
        "identity_tokens": (rows, like.identity_tokens, like.context_width),
        "identity_scales": (rows,),
    }
    axes = {name: {0: "B"} for name in (*module.input_names, "prediction")}
    axes["latents"] |= {2: "h", 3: "w"}
    axes["prediction"] |= {2: "h", 3: "w"}
    axes["context"][1] = "T"
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter's remarks on tracing; the engine's export checks them
        torch.onnx.export(
            module,
            tuple(torch.zeros(shapes[name]) for name in module.input_names),
            str(graph.file),
            input_names=list(module.input_names),
            output_names=["prediction"],
            dynamic_axes=axes,
            opset_version=like.opset,
            dynamo=False,
        )
    return graph


def merged_backend(unet: UNetBackend, weights: Path, folder: Path) -> UNetBackend:
    """Returns *unet*'s runtime and precision over the network without adapters.

    On torch that is *unet* itself: without adapters in a batch its layers are the plain ones. Raises:
    TypeError for a backend that this does not know.
    """
    if isinstance(unet, TorchUNet):
        return unet
    # The backends keep these to themselves, rightly; only this comparison needs the same again.
    private: Any = unet
    graph = merged_graph(private._graph, weights, folder)
    if isinstance(unet, OnnxUNet):
        return OnnxUNet(graph)
    if isinstance(unet, OpenvinoUNet):
        return OpenvinoUNet(graph, private._precision)
    raise TypeError(f"no network without adapters for {unet.description}")
