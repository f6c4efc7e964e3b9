"""Loads the components of a model folder with diffusers and transformers, offline and from safetensors."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.sdmodels.errors import ModelUnsupported
from shared.sdmodels.folder import ModelFolder, read_json, weight_variant

if TYPE_CHECKING:
    import torch
    from diffusers import DDPMScheduler, UNet2DConditionModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from shared.sdmodels.vae import FoldedVae

_AUTOENCODERS = ("AutoencoderKL", "AutoencoderDC")
_TEXT_ENCODERS = ("CLIPTextModel", "CLIPTextModelWithProjection")


def load_unet(folder: ModelFolder, dtype: "torch.dtype | None" = None) -> "UNet2DConditionModel":
    """The denoiser in evaluation mode, parameters frozen, on the CPU; *dtype* defaults to float32."""
    import torch

    unet = _library("diffusers").UNet2DConditionModel.from_pretrained(
        folder.path / "unet",
        torch_dtype=dtype or torch.float32,
        use_safetensors=True,
        local_files_only=True,
        variant=weight_variant(folder.path / "unet"),
        low_cpu_mem_usage=True,
    )
    frozen: UNet2DConditionModel = unet.eval().requires_grad_(False)
    return frozen


def load_vae(folder: ModelFolder, dtype: "torch.dtype | None" = None) -> "FoldedVae":
    """The image autoencoder with its fold and latent scaling applied; *dtype* defaults to float32.

    Raises: ModelUnsupported if vae/config.json names another class than those that FoldedVae knows.
    """
    import torch

    from shared.sdmodels.vae import FoldedVae

    class_name = str(read_json(folder.path / "vae" / "config.json").get("_class_name"))
    if class_name not in _AUTOENCODERS:
        raise ModelUnsupported(folder.path, f"vae is a {class_name}; supported: {_AUTOENCODERS}")
    vae = getattr(_library("diffusers"), class_name).from_pretrained(
        folder.path / "vae",
        torch_dtype=dtype or torch.float32,
        use_safetensors=True,
        local_files_only=True,
        variant=weight_variant(folder.path / "vae"),
        low_cpu_mem_usage=True,
    )
    vae.eval().requires_grad_(False)
    return FoldedVae(vae, space_to_depth=folder.space_to_depth)


def load_text_encoder(
    folder: ModelFolder, component: str = "text_encoder", dtype: "torch.dtype | None" = None
) -> "PreTrainedModel":
    """The CLIP text encoder *component* ("text_encoder" or "text_encoder_2"), frozen.

    Raises: ModelUnsupported if model_index.json names another class than a CLIP text model.
    """
    import torch

    class_name = str(read_json(folder.path / "model_index.json")[component][1])
    if class_name not in _TEXT_ENCODERS:
        raise ModelUnsupported(folder.path, f"{component} is a {class_name}; supported: {_TEXT_ENCODERS}")
    # A server's log has no use for a bar that redraws itself.
    _library("transformers").utils.logging.disable_progress_bar()
    encoder = getattr(_library("transformers"), class_name).from_pretrained(
        folder.path / component,
        dtype=dtype or torch.float32,
        use_safetensors=True,
        local_files_only=True,
        variant=weight_variant(folder.path / component),
    )
    frozen: PreTrainedModel = encoder.eval().requires_grad_(False)
    return frozen


def load_tokenizer(folder: ModelFolder, component: str = "tokenizer") -> "PreTrainedTokenizerBase":
    """The tokenizer *component* ("tokenizer" or "tokenizer_2")."""
    tokenizer: PreTrainedTokenizerBase = _library("transformers").AutoTokenizer.from_pretrained(
        folder.path / component, local_files_only=True, trust_remote_code=False
    )
    return tokenizer


def scheduler_config(folder: ModelFolder) -> dict[str, Any]:
    """Parsed scheduler/scheduler_config.json: noise schedule and prediction type, for `from_config`."""
    return read_json(folder.path / "scheduler" / "scheduler_config.json")


def load_noise_schedule(folder: ModelFolder) -> "DDPMScheduler":
    """The forward process as a DDPMScheduler: add_noise, get_velocity, alphas_cumprod, prediction_type.

    It carries the noise schedule of scheduler_config.json whatever sampler that file names.
    """
    config = scheduler_config(folder)
    keys = (
        "num_train_timesteps",
        "beta_start",
        "beta_end",
        "beta_schedule",
        "trained_betas",
        "prediction_type",
        "rescale_betas_zero_snr",
    )
    known = {key: config[key] for key in keys if key in config}
    schedule: DDPMScheduler = _library("diffusers").DDPMScheduler(clip_sample=False, **known)
    return schedule


def _library(name: str) -> Any:
    """Import lazily and untyped: these libraries are typed in part only, which strict checking rejects."""
    return import_module(name)
