"""diffusers on the same weights and adapters: as people run it, and at its best."""

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors

from loadtests.engine.adapters import IDENTITY_WEIGHT, RANK, STYLE_WEIGHT, TENANT, AdapterFiles
from loadtests.engine.prompts import GUIDANCE_SCALE, NEGATIVE_PROMPT, prompt_of
from loadtests.engine.scale import WORK
from loadtests.traffic import LoadRequest
from shared.artifacts import ArtifactStore
from shared.sdmodels import load_vae, open_model_folder

Image = NDArray[np.uint8]
_SLOTS = ("identity", "style")
# Without an autoencoder the pipeline counts 8 px per latent cell: 16 x 16 cells.
_PIPELINE_PX = 128


@dataclass(frozen=True)
class Variant:
    """How diffusers is run.

    Attributes:
        dtype: Precision of every component.
        is_channels_last: Memory format of UNet and VAE.
        is_compiled: Whether torch.compile runs the UNet.
        is_hotswapped: Adapters are written into two slots per request (needed with torch.compile, which
            would compile again for other names); else all are loaded and set_adapters picks two.
    """

    dtype: torch.dtype
    is_channels_last: bool
    is_compiled: bool
    is_hotswapped: bool

    @property
    def name(self) -> str:
        """What a table says."""
        parts = [str(self.dtype).removeprefix("torch.")]
        parts += ["channels-last"] if self.is_channels_last else []
        parts += ["torch.compile"] if self.is_compiled else ["eager"]
        parts += ["hotswap" if self.is_hotswapped else "set_adapters"]
        return ", ".join(parts)


EAGER = Variant(torch.float32, is_channels_last=False, is_compiled=False, is_hotswapped=False)


class DiffusersPipeline:
    """A StableDiffusionPipeline with adapters; blocking, for one thread."""

    def __init__(self, variant: Variant, weights: Path, store: ArtifactStore, files: AdapterFiles) -> None:
        # The library's own words on its defaults; none of them is about what is measured here.
        warnings.filterwarnings("ignore", module="(diffusers|peft|transformers|torch).*")
        self.variant = variant
        # The pipeline cannot ask an AutoencoderDC for its scale; without one it draws latents as asked here.
        self._pipe: Any = StableDiffusionPipeline.from_pretrained(str(weights), vae=None, dtype=variant.dtype)
        self._pipe.set_progress_bar_config(disable=True)
        self._vae = load_vae(open_model_folder(weights), variant.dtype)
        if variant.is_channels_last:
            self._pipe.unet.to(memory_format=torch.channels_last)
            self._vae.vae.to(memory_format=torch.channels_last)
        self._current = (-1, -1)
        self._slots: list[list[dict[str, torch.Tensor]]] = []
        self._load(store, files)
        if variant.is_compiled:
            os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str((WORK / "inductor").resolve()))
            self._pipe.unet = torch.compile(self._pipe.unet)

    def choose(self, request: LoadRequest) -> float:
        """Makes the request's adapters the active ones; returns the seconds that it took."""
        began_s = time.perf_counter()
        if self.variant.is_hotswapped:
            self._hotswap(request)
        else:
            names = [f"identity-{request.identity}", f"style-{request.style}"]
            self._pipe.set_adapters(names, [IDENTITY_WEIGHT, STYLE_WEIGHT])
        return time.perf_counter() - began_s

    def make(self, requests: Sequence[LoadRequest], step_done: Callable[[], None]) -> list[Image]:
        """Makes pictures of requests that share adapters and steps, in one call."""
        if len({(request.adapters, request.step_count) for request in requests}) != 1:
            raise ValueError("a pipeline call has one set of adapters and one number of steps")
        self.choose(requests[0])

        def on_step(_pipe: Any, _index: int, _timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
            step_done()
            return given

        latents = self._pipe(
            prompt=[prompt_of(request) for request in requests],
            negative_prompt=[NEGATIVE_PROMPT] * len(requests),
            num_inference_steps=requests[0].step_count,
            guidance_scale=GUIDANCE_SCALE,
            height=_PIPELINE_PX,
            width=_PIPELINE_PX,
            generator=[torch.Generator().manual_seed(request.seed) for request in requests],
            output_type="latent",
            callback_on_step_end=on_step,
        ).images
        return self._decode(latents)

    def step_s(self, repeats: int) -> float:
        """Returns the median seconds of a UNet call for one guided picture, two rows."""
        unet = self._pipe.unet
        latents = torch.zeros(2, unet.config.in_channels, 16, 16, dtype=self.variant.dtype)
        if self.variant.is_channels_last:
            latents = latents.to(memory_format=torch.channels_last)
        context = torch.zeros(2, 48, unet.config.cross_attention_dim, dtype=self.variant.dtype)
        seconds = []
        with torch.no_grad():
            for _ in range(repeats + 2):
                began_s = time.perf_counter()
                unet(latents, torch.tensor(500), context, return_dict=False)
                seconds.append(time.perf_counter() - began_s)
        return float(np.median(seconds[2:]))

    @torch.no_grad()
    def _decode(self, latents: torch.Tensor) -> list[Image]:
        images = self._vae.decode(latents).float()
        scaled = (images / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
        return list((scaled * 255).round().astype(np.uint8))

    def _load(self, store: ArtifactStore, files: AdapterFiles) -> None:
        known = [
            [load_tensors(store.get(uri, tenant=TENANT)) for uri in uris]
            for uris in (files.identities, files.styles)
        ]
        if not self.variant.is_hotswapped:
            for slot, adapters in zip(_SLOTS, known, strict=True):
                for number, weights in enumerate(adapters):
                    self._load_one(weights, f"{slot}-{number}")
            return
        # The style's weight goes into its matrices once, so that a swap need not touch scales.
        self._slots = [known[0], [_scaled(weights, STYLE_WEIGHT) for weights in known[1]]]
        self._pipe.enable_lora_hotswap(target_rank=RANK)
        for slot, adapters in zip(_SLOTS, self._slots, strict=True):
            self._load_one(adapters[0], slot)
        self._pipe.set_adapters(list(_SLOTS), [IDENTITY_WEIGHT, 1.0])
        self._current = (0, 0)

    def _hotswap(self, request: LoadRequest) -> None:
        for slot, adapters, old, new in zip(
            _SLOTS, self._slots, self._current, request.adapters, strict=True
        ):
            if old != new:
                self._load_one(adapters[new], slot, is_swap=True)
        self._current = request.adapters

    def _load_one(self, weights: dict[str, torch.Tensor], name: str, *, is_swap: bool = False) -> None:
        # The compiled wrapper keeps the module in _orig_mod.
        unet = getattr(self._pipe.unet, "_orig_mod", self._pipe.unet)
        unet.load_lora_adapter(dict(weights), prefix="unet", adapter_name=name, hotswap=is_swap)


def _scaled(weights: dict[str, torch.Tensor], factor: float) -> dict[str, torch.Tensor]:
    return {key: tensor * factor if ".lora_B." in key else tensor for key, tensor in weights.items()}
