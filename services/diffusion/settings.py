"""Settings of the diffusion service: LIKENESS_DIFFUSION_<FIELD>; the table is in README.md."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from services.diffusion.adapters.graph.cache import default_cache
from shared.settings import ServiceSettings, settings_config

_STARTER = Path(__file__).parents[2] / "starter" / "weights"


class DiffusionSettings(ServiceSettings):
    """What is installed, how much is batched, how many threads compute."""

    model_config = settings_config("DIFFUSION")

    backend: Literal["auto", "torch", "onnxruntime", "openvino", "triton", "fake"] = Field(
        default="auto",
        description="What evaluates the UNet. auto: OpenVINO on a CPU, torch on a GPU, for folders with a "
        "ControlNet and for UNets that have no graph.",
    )
    precision: Literal["auto", "f32", "bf16"] = Field(
        default="auto",
        description="Precision of the UNet. auto: with OpenVINO bf16 where the processor multiplies in "
        "bfloat16, else f32.",
    )
    graph_cache: Path = Field(
        default_factory=default_cache,
        description="Folder of exported UNet graphs; one is made for each model, once.",
    )
    triton_target: str = Field(
        default="127.0.0.1:18001", description="Address of the Triton server's gRPC (backend triton)."
    )
    triton_model: str = Field(
        default="unet",
        description="Name of the UNet on Triton; {model} in it stands for the model's name in MODELS.",
    )
    triton_deadline_s: float = Field(
        default=60.0,
        gt=0,
        description="Longest call of Triton; a server that restarts is waited for as long.",
    )
    triton_shared_memory: Literal["none", "system", "cuda"] = Field(
        default="none",
        description="How tensors reach Triton: none = in the message; system = shared memory, for a server "
        "on the same host; cuda = on the same GPU (not tested).",
    )
    torch_compile: bool = Field(default=False, description="Compile the UNet (backend torch).")
    models: dict[str, Path] = Field(
        default_factory=lambda: {"starter": _STARTER},
        min_length=1,
        description="Stable Diffusion folders by model name, as a JSON object; the first is the default.",
    )
    device: str = Field(default="cpu", description="torch device of the UNet: cpu, cuda, cuda:1.")
    torch_threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads of one call of torch, OpenVINO or ONNX Runtime; unset = OMP_NUM_THREADS. "
        "Pictures are repeatable per value.",
    )
    side_threads: int = Field(
        default=1,
        ge=1,
        description="torch threads of the text encoder and of the autoencoder, each beside the UNet. With "
        "1 their batches are exact.",
    )
    max_rows: int = Field(default=16, ge=1, le=256, description="Rows of one UNet call.")
    max_active_images: int = Field(default=16, ge=1, description="Pictures whose rows take turns.")
    max_waiting_images: int = Field(
        default=64, ge=0, description="Pictures that may wait; more get QUEUE_FULL."
    )
    max_decoded_images: int = Field(
        default=4, ge=1, description="Pictures of one call of the image autoencoder, 2^20 pixels at most."
    )
    max_adapter_rank: int = Field(default=128, ge=1, description="Largest rank of an adapter's layer.")
    max_mix_rank: int = Field(
        default=512, ge=1, description="Largest rank that the adapters of one picture add up to in a layer."
    )
    adapter_cache_bytes: int = Field(
        default=512 * 2**20,
        ge=0,
        description="Adapters kept in memory per model, in bytes that they take there, packed forms too.",
    )
    sweep_s: float = Field(
        default=60.0,
        gt=0,
        description="Time after which an adapter whose artifact was deleted is forgotten at the latest.",
    )
