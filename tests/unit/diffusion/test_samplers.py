"""Samplers: a part of a run is its end, and blending predictions is blending latents."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.diffusion.adapters.samplers import SAMPLERS, DiffusersSampler, DiffusersSamplers
from services.diffusion.errors import ValueOutOfRange

_CONFIG = {
    "_class_name": "DDPMScheduler",
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "steps_offset": 1,
}
_SHAPE = (4, 3, 5)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def _sampler(name: str, strength: float = 1.0, **config: Any) -> DiffusersSampler:
    return DiffusersSamplers({**_CONFIG, **config}).create(name, 6, seed=7, strength=strength)


def _run(sampler: DiffusersSampler, predictions: np.ndarray) -> np.ndarray:
    latent = sampler.initial_noise(_SHAPE)
    for index in range(len(sampler.timesteps)):
        latent = sampler.step(predictions[index], index, latent)
    return latent


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_blending_predictions_is_blending_latents(name: str, prediction_type: str) -> None:
    """What late injection rests on: a whole run is linear in its predictions, noise and history included."""
    random = np.random.default_rng(0)
    first, second = random.standard_normal((2, 12, *_SHAPE), dtype=np.float32)
    mask = random.random(_SHAPE[1:], dtype=np.float32)

    blended = _run(_sampler(name, prediction_type=prediction_type), mask * first + (1 - mask) * second)

    apart = [_run(_sampler(name, prediction_type=prediction_type), given) for given in (first, second)]
    expected = mask * apart[0] + (1 - mask) * apart[1]
    np.testing.assert_allclose(blended, expected, rtol=0, atol=1e-4 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("name", SAMPLERS)
def test_latents_are_never_clipped_to_the_range_of_pixels(name: str) -> None:
    """Some schedulers clip by default; the folder of a solver that cannot clip does not say not to."""
    config = {key: value for key, value in _CONFIG.items() if key != "clip_sample"}
    config |= {"_class_name": "DPMSolverMultistepScheduler", "prediction_type": "v_prediction"}
    sampler = DiffusersSamplers(config).create(name, 6, seed=7)
    assert np.abs(_run(sampler, np.full((12, *_SHAPE), -5.0, np.float32))).max() > 2


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_run_of_less_strength_is_the_end_of_the_whole_run(name: str) -> None:
    whole, part = _sampler(name), _sampler(name, strength=0.5)

    count = len(part.timesteps)
    assert 0 < count < len(whole.timesteps) == part.full_step_count
    assert part.timesteps == whole.timesteps[-count:]


@pytest.mark.parametrize("name", SAMPLERS)
def test_noise_is_added_to_the_level_of_its_step(name: str) -> None:
    clean, noise = np.random.default_rng(1).standard_normal((2, *_SHAPE), dtype=np.float32)
    sampler = _sampler(name, strength=0.5)

    noisy = sampler.add_noise(clean, noise, 0)

    # As the UNet will see it, the noise has the share that the schedule gives this timestep.
    seen = sampler.scale_input(noisy, 0)
    alpha = _alpha(int(sampler.timesteps[0]))
    np.testing.assert_allclose(seen, alpha**0.5 * clean + (1 - alpha) ** 0.5 * noise, rtol=0, atol=0.02)


def test_past_the_last_step_nothing_is_added() -> None:
    clean, noise = np.random.default_rng(1).standard_normal((2, *_SHAPE), dtype=np.float32)
    sampler = _sampler("ddim")

    assert sampler.add_noise(clean, noise, len(sampler.timesteps)) is clean


@settings(max_examples=30, deadline=None)
@given(step_count=st.integers(1, 60), percent=st.integers(1, 100))
def test_steps_left_are_those_of_diffusers_or_the_strength_is_refused(step_count: int, percent: int) -> None:
    samplers, strength = DiffusersSamplers(_CONFIG), percent / 100
    left = int(step_count * strength)

    if left:
        assert len(samplers.create("ddim", step_count, 0, strength).timesteps) == left
    else:
        with pytest.raises(ValueOutOfRange, match=r"source\.strength"):
            samplers.create("ddim", step_count, 0, strength)


def _alpha(timestep: int) -> float:
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    return float(np.cumprod(1 - betas)[timestep])
