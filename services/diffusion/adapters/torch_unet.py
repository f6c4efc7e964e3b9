"""The UNet on torch: the reference backend."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.diffusion.adapters.ip_adapter import IdentityAttention, Tensors
from services.diffusion.adapters.row_lora import RowLora
from services.diffusion.domain.rows import RowBatch

Array = NDArray[np.float32]


class TorchUNet:
    """A diffusers UNet2DConditionModel evaluated eagerly, with adapters and identity tokens per row.

    torch chooses other kernels for other batch sizes, so a row alone and in company agrees to
    `batch_tolerance` only; the same batch gives the same bits.
    """

    batch_tolerance = 1e-4

    def __init__(self, unet: Any, ip_attention: Tensors | None = None, device: str = "cpu") -> None:
        self._unet = unet.to(device)
        self._identity = None if ip_attention is None else IdentityAttention(unet, ip_attention)
        self._lora = RowLora(unet, "unet")
        self._weight = next(unet.parameters())

    @property
    def description(self) -> str:
        """Runtime and precision."""
        precision = str(self._weight.dtype).removeprefix("torch.")
        return f"torch {precision} on {self._weight.device.type}"

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change."""
        return self._lora.layer_shapes

    @torch.inference_mode()
    def predict(self, batch: RowBatch) -> Array:
        """Predictions float32 [B, C, h, w]. Raises: ValueError on tokens without an IP-Adapter."""
        identities = batch.identities
        if identities is not None and self._identity is None:
            raise ValueError("rows carry identity tokens but the model has no IP-Adapter")
        added = batch.pooled
        with (
            self._lora.applied([row.adapters for row in batch.rows]),
            self._identity.applied(identities, self._weight) if self._identity else nullcontext(),
        ):
            prediction = self._unet(
                self._tensor(batch.latents),
                torch.from_numpy(batch.timesteps).to(self._weight.device),
                self._tensor(batch.contexts),
                added_cond_kwargs=None
                if added is None
                else {"text_embeds": self._tensor(added[0]), "time_ids": self._tensor(added[1])},
                return_dict=False,
            )[0]
        result: Array = prediction.float().cpu().numpy()
        return result

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.from_numpy(array).to(self._weight)
