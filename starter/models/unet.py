"""The denoiser: diffusers' conditional UNet at a size that a CPU can train."""

from __future__ import annotations

from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel

from starter.models.text import WIDTH
from starter.models.vae import DOWNSCALE, LATENT_CHANNELS

IMAGE_PX = 256
_BETA_SCHEDULE = "squaredcos_cap_v2"


def build_unet(widths: tuple[int, int, int] = (128, 192, 256)) -> UNet2DConditionModel:
    """An untrained UNet on 16x16x32 latents; attention on the 8x8 and 4x4 maps only, in heads of 32."""
    return UNet2DConditionModel(
        sample_size=IMAGE_PX // DOWNSCALE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=widths,
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        # diffusers counts heads here, not channels per head.
        attention_head_dim=tuple(width // 32 for width in widths),
        norm_num_groups=32,
    )


def training_schedule() -> DDPMScheduler:
    """Cosine noise schedule of 1000 steps with v-prediction."""
    return DDPMScheduler(beta_schedule=_BETA_SCHEDULE, prediction_type="v_prediction")


def sampling_schedule() -> DPMSolverMultistepScheduler:
    """DPM-Solver++(2M) for the same noise schedule."""
    return DPMSolverMultistepScheduler(
        beta_schedule=_BETA_SCHEDULE,
        prediction_type="v_prediction",
        algorithm_type="dpmsolver++",
        solver_order=2,
        timestep_spacing="trailing",
        steps_offset=1,
        # diffusers' documented value for the cosine schedule, whose last step has almost no signal.
        lambda_min_clipped=-5.1,
    )
