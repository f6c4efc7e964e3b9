"""The UNet on torch: the reference backend."""

from collections.abc import Collection
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.diffusion.adapters.control_net import ControlRows
from services.diffusion.adapters.ip_adapter import IdentityAttention, Tensors
from services.diffusion.adapters.row_lora import RowLora
from services.diffusion.domain.adapters import AdapterMix
from services.diffusion.domain.rows import RowBatch

Array = NDArray[np.float32]


class TorchUNet:
    """A diffusers UNet2DConditionModel evaluated eagerly: adapters, identity and control hint per row.

    torch chooses other kernels for other batch sizes, so a row alone and in company agrees to
    `batch_tolerance` only; the same batch gives the same bits. The network's own dtype is the precision.
    """

    def __init__(
        self,
        unet: Any,
        ip_attention: Tensors | None = None,
        device: str = "cpu",
        control_net: Any | None = None,
        *,
        is_compiled: bool = False,
    ) -> None:
        self._unet = unet.to(device)
        self._identity = None if ip_attention is None else IdentityAttention(unet, ip_attention)
        self._control = None if control_net is None else ControlRows(control_net, device)
        self._lora = RowLora(unet, "unet")
        self._weight = next(unet.parameters())
        if is_compiled:
            self._unet = torch.compile(self._unet, dynamic=True)

    @property
    def description(self) -> str:
        """Runtime and precision."""
        precision = str(self._weight.dtype).removeprefix("torch.")
        return f"torch {precision} on {self._weight.device.type}"

    @property
    def batch_tolerance(self) -> float:
        """Measured on the starter pack's UNet: 3e-6 in float32, 4e-2 in bfloat16; with some room."""
        return 1e-4 if self._weight.dtype == torch.float32 else 0.1

    @property
    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Weight shapes of the layers that adapters may change."""
        return self._lora.layer_shapes

    @property
    def held_adapter_bytes(self) -> int:
        """Bytes of the packed matrices of the last batches."""
        return self._lora.held_bytes

    def forget_adapters(self, names: Collection[str]) -> None:
        """Drop packed matrices of these adapters."""
        self._lora.forget(names)

    def check(self, mix: AdapterMix) -> None:
        """Every mix of readable adapters is fine."""

    @torch.inference_mode()
    def predict(self, batch: RowBatch) -> Array:
        """Predictions float32 [B, C, h, w].

        Raises: ValueError on tokens without an IP-Adapter or a hint without a ControlNet.
        """
        identities = batch.identities
        if identities is not None and self._identity is None:
            raise ValueError("rows carry identity tokens but the model has no IP-Adapter")
        latents, contexts = self._tensor(batch.latents), self._tensor(batch.contexts)
        timesteps = torch.from_numpy(batch.timesteps).to(self._weight.device)
        pooled = batch.pooled
        added = pooled and {"text_embeds": self._tensor(pooled[0]), "time_ids": self._tensor(pooled[1])}
        down, mid = self._residuals(batch, latents, timesteps, contexts, added)
        with (
            self._lora.applied([row.adapters for row in batch.rows]),
            self._identity.applied(identities, self._weight) if self._identity else nullcontext(),
        ):
            prediction = self._unet(
                latents,
                timesteps,
                contexts,
                added_cond_kwargs=added,
                down_block_additional_residuals=down,
                mid_block_additional_residual=mid,
                return_dict=False,
            )[0]
        result: Array = prediction.float().cpu().numpy()
        return result

    def _residuals(self, batch: RowBatch, *inputs: Any) -> tuple[Any, Any]:
        if self._control is None:
            if any(row.control for row in batch.rows):
                raise ValueError("rows carry a control hint but the model has no ControlNet")
            return None, None
        return self._control.residuals(batch, *inputs) or (None, None)

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.from_numpy(array).to(self._weight)
