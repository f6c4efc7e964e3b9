"""Targets and weights of the loss, against their formulas."""

import pytest
import torch
from diffusers import DDPMScheduler

from services.lora_training.adapters.torch_trainer.objective import Objective, min_snr_weights
from services.lora_training.errors import ModelNotTrainable


def objective(prediction_type: str, gamma: float = 5.0, **config: object) -> Objective:
    return Objective(DDPMScheduler(prediction_type=prediction_type, **config), gamma)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_the_clean_latents_follow_from_the_target(prediction_type: str) -> None:
    goal = objective(prediction_type)
    latents, noise = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    steps = torch.tensor([50, 700])
    noisy, target = goal.noisy(latents, noise, steps), goal.target(latents, noise, steps)
    alpha = goal.schedule.alphas_cumprod[steps].sqrt().view(-1, 1, 1, 1)
    sigma = (1 - goal.schedule.alphas_cumprod[steps]).sqrt().view(-1, 1, 1, 1)
    clean = {
        "epsilon": (noisy - sigma * target) / alpha,
        "v_prediction": alpha * noisy - sigma * target,
        "sample": target,
    }[prediction_type]
    torch.testing.assert_close(clean, latents, atol=1e-4, rtol=1e-4)


def test_the_weight_of_an_error_of_the_clean_sample_is_capped_at_gamma() -> None:
    snr = torch.tensor([0.01, 1.0, 5.0, 400.0], dtype=torch.double)
    clean = min_snr_weights(snr, 5.0, "sample")
    assert clean.tolist() == [0.01, 1.0, 5.0, 5.0]
    # An error e of the clean sample is an error e * sqrt(snr) of epsilon and e * sqrt(snr + 1) of v.
    torch.testing.assert_close(min_snr_weights(snr, 5.0, "epsilon") * snr, clean)
    torch.testing.assert_close(min_snr_weights(snr, 5.0, "v_prediction") * (snr + 1), clean + 1)


def test_gamma_zero_turns_the_weights_off() -> None:
    assert objective("epsilon", 0.0).step_weights.unique().tolist() == [1.0]


def test_a_schedule_without_signal_at_its_end_has_finite_weights() -> None:
    for prediction_type in ("epsilon", "v_prediction"):
        goal = objective(prediction_type, rescale_betas_zero_snr=True)
        assert torch.isfinite(goal.step_weights).all()


def test_cells_without_weight_do_not_count() -> None:
    goal = objective("epsilon", 0.0)
    weights = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).view(1, 1, 2, 2)
    target = torch.zeros(1, 4, 2, 2)
    prediction = torch.full((1, 4, 2, 2), 2.0)
    prediction[:, :, 0, 0] = 1000
    loss = goal.loss(prediction, target, torch.tensor([10]), weights)
    assert loss.item() == pytest.approx(4.0)
    assert goal.loss(prediction, target, torch.tensor([10]), 7 * weights).item() == pytest.approx(4.0)


def test_an_unknown_prediction_type_is_refused() -> None:
    schedule = DDPMScheduler()
    schedule.register_to_config(prediction_type="flow")
    with pytest.raises(ModelNotTrainable, match="flow"):
        Objective(schedule, 5.0)
