"""What the trained network is asked to predict, and how much each example and each latent cell counts."""

from __future__ import annotations

import torch
from diffusers import DDPMScheduler

from services.lora_training.errors import ModelNotTrainable

# Far noise levels have almost no signal; below this ratio the epsilon weight would be 0 / 0.
_SMALLEST_SNR = 1e-8


class Objective:
    """The loss of a denoising model: its own prediction type, min-SNR-weighted, leaning to the face."""

    def __init__(self, schedule: DDPMScheduler, snr_gamma: float) -> None:
        """Raises: ModelNotTrainable where the schedule's prediction type is unknown."""
        self.schedule = schedule
        self.prediction_type: str = schedule.config.prediction_type
        if self.prediction_type not in ("epsilon", "v_prediction", "sample"):
            needed = "a model that predicts epsilon, v_prediction or sample"
            raise ModelNotTrainable(capability=f"prediction type {self.prediction_type}", needed=needed)
        alphas = schedule.alphas_cumprod.double()
        snr = alphas / (1 - alphas).clamp_min(_SMALLEST_SNR)
        self.step_weights = min_snr_weights(snr, snr_gamma, self.prediction_type).float()

    @property
    def timestep_count(self) -> int:
        """Number of noise levels of the schedule."""
        return int(self.schedule.config.num_train_timesteps)

    def noisy(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """Return the latents at the noise levels `timesteps`."""
        noisy: torch.Tensor = self.schedule.add_noise(latents, noise, timesteps)
        return noisy

    def target(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """Return what a perfect model predicts, shaped like `latents`."""
        if self.prediction_type == "epsilon":
            return noise
        if self.prediction_type == "sample":
            return latents
        velocity: torch.Tensor = self.schedule.get_velocity(latents, noise, timesteps)
        return velocity

    def loss(
        self,
        prediction: torch.Tensor,
        target: torch.Tensor,
        timesteps: torch.Tensor,
        cell_weights: torch.Tensor,
    ) -> torch.Tensor:
        """Return the scalar loss.

        Args:
            prediction: (B, C, h, w), any float type.
            target: (B, C, h, w) float32.
            timesteps: (B,) int64.
            cell_weights: (B, 1, h, w) float32 >= 0, not all 0 in an example; only their proportions matter.
        """
        error = (prediction.float() - target).square().mean(dim=1, keepdim=True)
        per_example = (error * cell_weights).sum(dim=(1, 2, 3)) / cell_weights.sum(dim=(1, 2, 3))
        return (per_example * self.step_weights.to(error.device)[timesteps]).mean()


def min_snr_weights(snr: torch.Tensor, gamma: float, prediction_type: str) -> torch.Tensor:
    """Weights per noise level of min-SNR-gamma (Hang et al. 2023, arXiv 2303.09556).

    The paper's weight min(snr, gamma) holds for a prediction of the clean sample; for epsilon it is divided
    by snr, the factor that loss already carries. The loss of v carries snr + 1, and here the cap is put on
    that factor: the paper's form would give the noisiest steps, which decide outline and colours, no weight
    at all. gamma 0 gives ones.
    """
    if gamma == 0:
        return torch.ones_like(snr)
    capped = snr.clamp(max=gamma)
    if prediction_type == "epsilon":
        return capped.clamp_min(_SMALLEST_SNR) / snr.clamp_min(_SMALLEST_SNR)
    if prediction_type == "v_prediction":
        return (capped + 1) / (snr + 1)
    return capped
