"""ControlNet (Zhang et al., arXiv 2302.05543) beside the UNet: residuals for the rows that carry a hint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from services.diffusion.domain.rows import RowBatch
from shared.sdmodels.folder import read_json, weight_files, weight_variant

Residuals = tuple[list[torch.Tensor], torch.Tensor]


def load_control_net(folder: Path) -> Any | None:
    """The ControlNetModel in *folder*/controlnet, frozen, float32; None where there is none.

    Raises: ModelFileMissing if that folder has no safetensors weights.
    """
    part = folder / "controlnet"
    if not part.is_dir():
        return None
    from diffusers import ControlNetModel

    read_json(part / "config.json")
    weight_files(part)
    network = ControlNetModel.from_pretrained(
        part,
        torch_dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        variant=weight_variant(part),
    )
    return network.eval().requires_grad_(False)


class ControlRows:
    """Evaluates the ControlNet for those rows of a batch that ask for it; adapters do not reach it."""

    def __init__(self, network: Any, device: str) -> None:
        self._network = network.to(device)
        self._weight = next(network.parameters())

    def residuals(
        self,
        batch: RowBatch,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        contexts: torch.Tensor,
        added: Any,
    ) -> Residuals | None:
        """(down, mid) residuals for all rows, zeros for rows without a hint; None if no row has one.

        The tensors are the UNet's own inputs; *added* is its added_cond_kwargs.
        """
        hints = {at: row.control for at, row in enumerate(batch.rows) if row.control and row.control.scale}
        if not hints:
            return None
        rows = torch.tensor(list(hints), device=latents.device)
        images = torch.from_numpy(np.stack([hint.image for hint in hints.values()])).to(self._weight)
        scales = torch.tensor([hint.scale for hint in hints.values()]).to(self._weight).reshape(-1, 1, 1, 1)
        down, mid = self._network(
            latents[rows],
            timesteps[rows],
            contexts[rows],
            controlnet_cond=images,
            added_cond_kwargs=None if added is None else {key: part[rows] for key, part in added.items()},
            return_dict=False,
        )
        parts = _spread([*down, mid], rows, scales, len(batch.rows))
        return parts[:-1], parts[-1]


def _spread(
    parts: Sequence[torch.Tensor], rows: torch.Tensor, scales: torch.Tensor, count: int
) -> list[torch.Tensor]:
    """Each part scaled and put at its rows' places among *count* rows of zeros."""
    return [part.new_zeros(count, *part.shape[1:]).index_copy(0, rows, part * scales) for part in parts]
