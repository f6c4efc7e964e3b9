"""Measures the structure net and the parser on portraits that they have never seen."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from starter.data.manifest import Sample
from starter.data.structure import exact_batch
from starter.models.structure import PartsOnly, StructureNet

_BATCH = 32
_LEAST_PIXELS = 200
"""A part with fewer pixels in all held-out pictures is not measured."""


def confusion(net: nn.Module, samples: Sequence[Sample], whole: bool, count: int) -> Tensor:
    """Pixels by true part and by answer, int64 (count, count)."""
    table = torch.zeros(count, count, dtype=torch.long)
    for start in range(0, len(samples), _BATCH):
        batch = exact_batch(samples[start : start + _BATCH], whole)
        answers = net(batch.images).argmax(1)
        table += torch.bincount(batch.parts.flatten() * count + answers.flatten(), minlength=count**2).view(
            count, count
        )
    return table


def overlaps(table: Tensor, labels: Sequence[str]) -> dict[str, float]:
    """Intersection over union of each part, and their plain mean without the background as "mean"."""
    both = table.diagonal()
    either = table.sum(0) + table.sum(1) - both
    measured = {
        label: round(float(both[i] / either[i]), 3)
        for i, label in enumerate(labels)
        if table[i].sum() >= _LEAST_PIXELS
    }
    parts = [value for label, value in measured.items() if label != "background"]
    return {**measured, "mean": round(sum(parts) / max(1, len(parts)), 3)}


def landmark_figures(net: StructureNet, samples: Sequence[Sample]) -> dict[str, float]:
    """Errors in percent of the eye distance, and the share of right answers on visibility."""
    errors, seen, right = [], [], []
    for start in range(0, len(samples), _BATCH):
        batch = exact_batch(samples[start : start + _BATCH])
        _, places, visible = net(batch.images)
        distance = (places - batch.places).norm(dim=-1) / batch.eye_distance[:, None] * 100
        errors.append(distance[batch.inside])
        seen.append(batch.visible[batch.inside])
        right.append(((visible > 0) == batch.visible)[batch.inside])
    error, is_seen = torch.cat(errors), torch.cat(seen)
    return {
        "landmark_error_percent": round(float(error[is_seen].mean()), 2),
        "landmark_error_percent_90th": round(float(error[is_seen].quantile(0.9)), 2),
        "hidden_landmark_error_percent": round(float(error[~is_seen].mean()), 2),
        "visibility_accuracy": round(float(torch.cat(right).float().mean()), 3),
    }


@torch.no_grad()
def structure_figures(
    net: StructureNet, samples: Sequence[Sample], labels: Sequence[str]
) -> dict[str, object]:
    """What the card of the structure net says: landmarks and parts of head crops."""
    net.eval()
    heads = overlaps(confusion(PartsOnly(net), samples, False, len(labels)), labels)
    return {"images": len(samples), **landmark_figures(net, samples), "iou": heads}


@torch.no_grad()
def parser_figures(net: PartsOnly, samples: Sequence[Sample], labels: Sequence[str]) -> dict[str, object]:
    """What the card of the parser says: parts of whole portraits."""
    net.eval()
    return {"images": len(samples), "iou": overlaps(confusion(net, samples, True, len(labels)), labels)}
