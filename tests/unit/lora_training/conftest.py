"""A tiny model and tiny examples."""

from pathlib import Path

import numpy as np
import pytest

from services.lora_training.domain.example import TrainingExample
from tests.support.tiny_sd import make_tiny_sd

POINTS = np.array([[14, 20], [26, 20], [20, 26], [15, 32], [25, 32]], np.float32)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def examples() -> list[TrainingExample]:
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, (48, 40, 3), dtype=np.uint8) for _ in range(3)]
    return [
        TrainingExample(image, caption, POINTS) for image, caption in zip(images, ("a", "b", ""), strict=True)
    ]


@pytest.fixture(scope="session")
def embedding() -> np.ndarray:
    values = np.random.default_rng(5).normal(size=128).astype(np.float32)
    return values / np.linalg.norm(values)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tiny operators lose more to thread hand-over than they gain."""
    import torch

    torch.set_num_threads(1)
