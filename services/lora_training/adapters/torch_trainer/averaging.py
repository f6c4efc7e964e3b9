"""Average of several LoRA checkpoints, taken of what they do and not of their factors."""

from __future__ import annotations

from collections.abc import Sequence

import torch

Weights = dict[str, torch.Tensor]


def average_adapters(checkpoints: Sequence[Weights], rank: int) -> Weights:
    """Return the adapter of `rank` whose update B @ A is nearest (least squares) to the mean of the updates.

    mean(B) @ mean(A), which averaging the files key by key gives, is another matrix than mean(B @ A): it
    drops every term in which the factors vary together. The mean has rank up to n * rank; it is cut back by
    an SVD (Eckart-Young), computed on the small factors and never on the full matrix.

    Args:
        checkpoints: at least one, of equal keys: "<module>.lora_A.weight" (r, in) and
            "<module>.lora_B.weight" (out, r).
        rank: rank of the result.
    """
    if len(checkpoints) == 1:
        return dict(checkpoints[0])
    averaged: Weights = {}
    for key_a in (key for key in checkpoints[0] if key.endswith(".lora_A.weight")):
        key_b = key_a.replace(".lora_A.", ".lora_B.")
        down = torch.cat([weights[key_a].double() for weights in checkpoints])
        up = torch.cat([weights[key_b].double() for weights in checkpoints], dim=1) / len(checkpoints)
        averaged[key_b], averaged[key_a] = _truncated(up, down, rank)
    return averaged


def _truncated(up: torch.Tensor, down: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Factor up @ down into (out, rank) and (rank, in) float32, the singular values shared evenly."""
    q_up, r_up = torch.linalg.qr(up)
    q_down, r_down = torch.linalg.qr(down.T)
    left, values, right = torch.linalg.svd(r_up @ r_down.T)
    kept = min(rank, len(values))
    root = values[:kept].sqrt()
    new_up = (q_up @ left[:, :kept]) * root
    new_down = root[:, None] * (right[:kept] @ q_down.T)
    if kept < rank:
        new_up = torch.nn.functional.pad(new_up, (0, rank - kept))
        new_down = torch.nn.functional.pad(new_down, (0, 0, 0, rank - kept))
    return new_up.float().contiguous(), new_down.float().contiguous()
