"""Chooses and opens what evaluates a folder's UNet."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from services.diffusion.adapters.graph.cache import cached_graph, default_cache
from services.diffusion.adapters.ip_adapter import read_ip_adapter
from services.diffusion.adapters.lora_files import Shape
from services.diffusion.adapters.triton.options import TritonOptions
from services.diffusion.domain.ports import UNetBackend
from shared.sdmodels import ModelFolder, ModelUnsupported, load_unet
from shared.telemetry import get_logger

BackendName = Literal["auto", "torch", "onnxruntime", "openvino", "triton"]
PrecisionName = Literal["auto", "f32", "bf16"]
_log = get_logger(__name__)


@dataclass(frozen=True)
class UNetOptions:
    """How a UNet is evaluated; the settings of the same names say more.

    `max_mix_rank` bounds the ranks of all adapters of a mix together, in one layer.
    """

    backend: BackendName = "torch"
    device: str = "cpu"
    precision: PrecisionName = "auto"
    thread_count: int | None = None
    max_mix_rank: int = 512
    graph_cache: Path = field(default_factory=default_cache)
    compile_torch: bool = False
    triton: TritonOptions = field(default_factory=TritonOptions)


# The reference: torch, eagerly, in float32.
DEFAULT_UNET = UNetOptions()


@dataclass(frozen=True, eq=False)
class OpenedUNet:
    """A backend with the weight shapes of the layers that adapters may change."""

    backend: UNetBackend
    layer_shapes: dict[str, Shape]


def open_unet(folder: ModelFolder, options: UNetOptions, control_net: Any | None = None) -> OpenedUNet:
    """The backend that *options* names; "auto" takes OpenVINO on a CPU, torch where that cannot serve.

    Raises:
        ModelUnsupported: The named backend cannot evaluate this folder's UNet.
        ModelFileMissing: As load_unet.
        BackendUnreachable and its like: As TritonUNet.
    """
    match options.backend:
        case "torch":
            return _torch(folder, options, control_net)
        case "triton":
            from services.diffusion.adapters.triton_unet import TritonUNet

            remote = TritonUNet(folder, options.triton)
            return OpenedUNet(remote, remote.layer_shapes)
        case "onnxruntime":
            return _onnxruntime(folder, options)
        case "openvino":
            return _openvino(folder, options)
    # Graphs run on CPUs here and have no ControlNet.
    if options.device != "cpu" or control_net is not None:
        return _torch(folder, options, control_net)
    try:
        return _openvino(folder, options)
    except ModelUnsupported as error:
        _log.warning("diffusion.no_graph", model=folder.name, cause=error.what)
        return _torch(folder, options, control_net)


def _torch(folder: ModelFolder, options: UNetOptions, control_net: Any | None) -> OpenedUNet:
    import torch

    from services.diffusion.adapters.torch_unet import TorchUNet

    attention = read_ip_adapter(folder.ip_adapter_file)[1] if folder.ip_adapter_file else None
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    backend = TorchUNet(
        load_unet(folder, dtype), attention, options.device, control_net, is_compiled=options.compile_torch
    )
    return OpenedUNet(backend, backend.layer_shapes)


def _onnxruntime(folder: ModelFolder, options: UNetOptions) -> OpenedUNet:
    from services.diffusion.adapters.onnx_unet import OnnxUNet

    if options.precision == "bf16":
        raise ModelUnsupported(folder.path, "ONNX Runtime computes in float32 only; take openvino for bf16")
    graph = cached_graph(folder, options.graph_cache)
    backend = OnnxUNet(graph, options.thread_count, options.max_mix_rank)
    return OpenedUNet(backend, backend.layer_shapes)


def _openvino(folder: ModelFolder, options: UNetOptions) -> OpenedUNet:
    from services.diffusion.adapters.openvino_unet import OpenvinoUNet, native_precision

    graph = cached_graph(folder, options.graph_cache)
    precision = native_precision() if options.precision == "auto" else options.precision
    backend = OpenvinoUNet(graph, precision, options.thread_count, options.max_mix_rank)
    return OpenedUNet(backend, backend.layer_shapes)
