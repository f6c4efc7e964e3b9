"""UNet, identity layers and text encoder as one network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from starter.models.identity import load_identity
from starter.models.part_reader import PartReader


class Generator(nn.Module):
    """UNet with identity layers and the text encoder, trained as one."""

    def __init__(
        self, tokenizer: CLIPTokenizer, text_encoder: CLIPTextModel, unet: UNet2DConditionModel
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.text_encoder = text_encoder
        self.unet = unet
        self.parts = PartReader(unet)

    @classmethod
    def load(cls, folder: Path) -> Generator:
        """Read a packed model folder with its identity adapter, in float32."""
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", dtype=torch.float32)
        load_identity(unet, folder / "ip_adapter.safetensors")
        text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
        return cls(CLIPTokenizer.from_pretrained(folder / "tokenizer"), text_encoder, unet)

    def encode_text(self, captions: Sequence[str]) -> Tensor:
        """Token states (B, 64, 192); "" is the unconditional prompt."""
        tokens = self.tokenizer(list(captions), padding="max_length", truncation=True, return_tensors="pt")
        states: Tensor = self.text_encoder(tokens.input_ids).last_hidden_state
        return states

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor, identity: Tensor) -> Tensor:
        """Predicted velocity (B, C, h, w); a zero `identity` (B, 128) is the unconditional one."""
        condition = {"image_embeds": [identity.unsqueeze(1)]}
        predicted: Tensor = self.unet(noisy, timesteps, text, added_cond_kwargs=condition).sample
        return predicted
