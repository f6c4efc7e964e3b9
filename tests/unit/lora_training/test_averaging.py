"""The average of adapters is the average of what they do."""

import torch

from services.lora_training.adapters.torch_trainer.averaging import Weights, average_adapters

A, B = "unet.x.lora_A.weight", "unet.x.lora_B.weight"


def adapter(seed: int, rank: int = 3) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    return {A: torch.randn(rank, 12, generator=generator), B: torch.randn(9, rank, generator=generator)}


def update(weights: Weights) -> torch.Tensor:
    return weights[B] @ weights[A]


def test_the_average_of_one_adapter_thrice_is_that_adapter() -> None:
    one = adapter(0)
    torch.testing.assert_close(update(average_adapters([one] * 3, 3)), update(one), atol=1e-5, rtol=1e-5)


def test_a_signed_pair_of_factors_does_not_cancel() -> None:
    one = adapter(0)
    flipped = {key: -value for key, value in one.items()}  # the same update: (-B)(-A)
    torch.testing.assert_close(update(average_adapters([one, flipped], 3)), update(one), atol=1e-5, rtol=1e-5)


def test_the_average_is_the_best_approximation_of_its_rank() -> None:
    checkpoints = [adapter(seed) for seed in range(4)]
    mean = torch.stack([update(c) for c in checkpoints]).mean(0)
    error = (update(average_adapters(checkpoints, 3)) - mean).norm()
    values = torch.linalg.svdvals(mean)
    torch.testing.assert_close(error, values[3:].norm(), atol=1e-4, rtol=1e-4)
    keywise = {key: torch.stack([c[key] for c in checkpoints]).mean(0) for key in (A, B)}
    assert error < (update(keywise) - mean).norm()


def test_enough_rank_makes_the_average_exact_and_spare_rank_is_zero() -> None:
    checkpoints = [adapter(seed, rank=2) for seed in range(2)]
    averaged = average_adapters(checkpoints, 6)
    mean = (update(checkpoints[0]) + update(checkpoints[1])) / 2
    torch.testing.assert_close(update(averaged), mean, atol=1e-5, rtol=1e-5)
    assert averaged[A].shape == (6, 12) and averaged[B].shape == (9, 6)
