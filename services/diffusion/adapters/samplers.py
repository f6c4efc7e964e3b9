"""Samplers are diffusers schedulers by name; each run owns one and its random generator."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.diffusion.domain.strength import kept_step_count
from services.diffusion.errors import ValueOutOfRange

Array = NDArray[np.float32]

# Short name -> diffusers class and what differs from the model's own scheduler configuration.
SAMPLERS: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "ddim": ("DDIMScheduler", {}),
        "ddpm": ("DDPMScheduler", {}),
        "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
        "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
        "dpmpp_2s": ("DPMSolverSinglestepScheduler", {}),
        "euler": ("EulerDiscreteScheduler", {}),
        "euler_ancestral": ("EulerAncestralDiscreteScheduler", {}),
        "heun": ("HeunDiscreteScheduler", {}),
        "lcm": ("LCMScheduler", {}),
        "unipc": ("UniPCMultistepScheduler", {}),
    }
)


class DiffusersSamplers:
    """Makes samplers for one model: its noise schedule and prediction type, any scheduler that takes them."""

    names = tuple(SAMPLERS)

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = {key: value for key, value in config.items() if not key.startswith("_")}
        self._own = str(config["_class_name"])

    def create(self, name: str, step_count: int, seed: int, strength: float = 1.0) -> "DiffusersSampler":
        """A fresh run; "" is the model's own scheduler, a diffusers class name works as well.

        Raises: ValueOutOfRange for a name, a step count or a strength that gives no run.
        """
        skipped_count = step_count - kept_step_count(step_count, strength)
        class_name, overrides = SAMPLERS.get(name, (name or self._own, {}))
        scheduler_class = getattr(import_module("diffusers"), class_name, None)
        if scheduler_class is None or not hasattr(scheduler_class, "set_timesteps"):
            raise ValueOutOfRange(field="sampler", value=name, range="the names that ListModels gives")
        scheduler = scheduler_class.from_config({**_unclipped(scheduler_class), **self._config, **overrides})
        if not hasattr(scheduler, "alphas_cumprod"):
            raise ValueOutOfRange(field="sampler", value=name, range="samplers of noise-prediction models")
        try:
            scheduler.set_timesteps(step_count)
        except ValueError as error:
            raise ValueOutOfRange(field="step_count", value=step_count, range=str(error)) from error
        return DiffusersSampler(scheduler, seed, skipped_count)


def _unclipped(scheduler_class: type) -> dict[str, bool]:
    """The setting that some schedulers need where the model's says nothing of it.

    DDIM and DDPM clip the clean sample to [-1, 1] by default, as for pixels; latents go further.
    """
    return {"clip_sample": False} if "clip_sample" in inspect.signature(scheduler_class).parameters else {}


class DiffusersSampler:
    """One run of one scheduler. Noise comes from a CPU generator seeded for this picture alone."""

    def __init__(self, scheduler: Any, seed: int, skipped_count: int = 0) -> None:
        self._scheduler = scheduler
        self._generator = torch.Generator("cpu").manual_seed(seed)
        # As get_timesteps of diffusers' image-to-image pipelines: a second-order step takes two timesteps.
        begin = skipped_count * scheduler.order
        self.full_step_count = len(scheduler.timesteps)
        self._timesteps = list(scheduler.timesteps[begin:])
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        known = {"generator": self._generator, "eta": 0.0}
        accepted = inspect.signature(scheduler.step).parameters
        self._extra = {key: value for key, value in known.items() if key in accepted}

    @property
    def timesteps(self) -> tuple[float, ...]:
        """Timestep of each step."""
        return tuple(float(timestep) for timestep in self._timesteps)

    @property
    def initial_sigma(self) -> float:
        """The schedule's own."""
        return float(self._scheduler.init_noise_sigma)

    def draw_noise(self, shape: tuple[int, int, int]) -> Array:
        """Gaussian noise, float32."""
        noise: Array = torch.randn((1, *shape), generator=self._generator, dtype=torch.float32)[0].numpy()
        return noise

    def initial_noise(self, shape: tuple[int, int, int]) -> Array:
        """Gaussian noise times the schedule's initial sigma, float32."""
        return self.draw_noise(shape) * np.float32(self.initial_sigma)

    def add_noise(self, latent: Array, noise: Array, index: int) -> Array:
        """As the scheduler's forward process; the very latents at an index past the last step."""
        if index >= len(self._timesteps):
            return latent
        clean, random = (torch.from_numpy(part)[None] for part in (latent, noise))
        noisy: Array = self._scheduler.add_noise(clean, random, self._timesteps[index].reshape(1))[0].numpy()
        return noisy

    def scale_input(self, latent: Array, index: int) -> Array:
        """Variance-preserving input of the UNet."""
        scaled = self._scheduler.scale_model_input(torch.from_numpy(latent), self._timesteps[index])
        result: Array = scaled.numpy()
        return result

    def step(self, prediction: Array, index: int, latent: Array) -> Array:
        """One scheduler step."""
        # A batch axis of one: some schedulers look at the shape.
        given, sample = torch.from_numpy(prediction)[None], torch.from_numpy(latent)[None]
        after = self._scheduler.step(given, self._timesteps[index], sample, return_dict=False, **self._extra)
        result: Array = after[0][0].numpy()
        return result

    def estimate_clean(self, scaled: Array, prediction: Array, index: int) -> Array:
        """The x0 that epsilon, v or sample prediction implies here (Salimans and Ho, arXiv 2202.00512)."""
        alpha = float(self._scheduler.alphas_cumprod[int(self._timesteps[index])])
        signal, noise = alpha**0.5, (1 - alpha) ** 0.5
        kind = self._scheduler.config.prediction_type
        if kind == "sample":
            return prediction
        if kind == "v_prediction":
            clean = signal * scaled - noise * prediction
        else:
            # A schedule that ends in pure noise has no signal left to divide by at its first step.
            clean = (scaled - noise * prediction) / max(signal, 1e-3)
        return clean.astype(np.float32)
