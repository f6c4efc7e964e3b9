"""The hyper-parameters of one training run, with the defaults and the ranges that a job may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from services.lora_training.errors import HyperParameterOutOfRange

# name -> (minimum, maximum), both inclusive.
RANGES: Final[dict[str, tuple[float, float]]] = {
    "rank": (1, 128),
    "alpha": (0.1, 256),
    "learning_rate": (1e-6, 1e-1),
    "steps": (1, 20_000),
    "batch_size": (1, 64),
    "seed": (0, 2**63 - 1),
    "warmup_share": (0.0, 0.5),
    "weight_decay": (0.0, 1.0),
    "max_grad_norm": (0.01, 100.0),
    "snr_gamma": (0.0, 100.0),
    "background_weight": (0.0, 1.0),
    "caption_dropout": (0.0, 1.0),
    "identity_dropout": (0.0, 1.0),
    "variants_per_photo": (1, 64),
    "checkpoint_every": (1, 20_000),
    "average_last": (1, 16),
}


@dataclass(frozen=True)
class Recipe:
    """How an adapter is trained; equal recipe, examples, model and thread count give equal bytes.

    Attributes:
        rank: inner size of each LoRA pair.
        alpha: the update is scaled by alpha / rank.
        learning_rate: peak rate of AdamW; a cosine leads from it to zero.
        steps: optimiser steps.
        batch_size: examples in one step.
        seed: decides initial weights, crops, noise, timesteps and drop-out.
        warmup_share: share of the steps in which the rate rises linearly from zero.
        weight_decay: decoupled decay of AdamW.
        max_grad_norm: global L2 norm to which gradients are clipped.
        snr_gamma: min-SNR weighting (Hang et al. 2023); 0 turns it off.
        background_weight: loss weight outside the face relative to the face, 1 = no preference.
        caption_dropout: share of examples trained with the empty caption, which guidance needs.
        identity_dropout: share of examples trained without the identity tokens.
        variants_per_photo: crops cached per photo; with `flips` every second one is mirrored.
        flips: whether mirrored crops are used.
        checkpoint_every: steps between checkpoints.
        average_last: the update of that many last checkpoints is averaged into the result; 1 = last weights.
        initial_adapter: adapter of the base model that the matrices start from; "" = from no effect.
    """

    rank: int = 8
    alpha: float = 8.0
    learning_rate: float = 2e-3
    steps: int = 200
    batch_size: int = 4
    seed: int = 0
    warmup_share: float = 0.05
    weight_decay: float = 1e-2
    max_grad_norm: float = 1.0
    snr_gamma: float = 5.0
    background_weight: float = 0.3
    caption_dropout: float = 0.1
    identity_dropout: float = 0.1
    variants_per_photo: int = 8
    flips: bool = True
    checkpoint_every: int = 50
    average_last: int = 1
    initial_adapter: str = ""

    def __post_init__(self) -> None:
        """Check every range. Raises: HyperParameterOutOfRange naming the field and its range."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise HyperParameterOutOfRange(field=name, value=value, range=f"[{low}, {high}]")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` restores an equal recipe."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Recipe:
        """Build from `to_json` values; missing names take the default. Raises: TypeError for unknown ones."""
        unknown = values.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise TypeError(f"unknown hyper-parameters: {sorted(unknown)}")
        return cls(**values)
