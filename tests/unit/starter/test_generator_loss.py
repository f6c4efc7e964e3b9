"""What the generator learns from, at toy size."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from starter.data.parts import Part, part_shares
from starter.models.latent_reader import LatentReader
from starter.models.part_reader import PartReader
from starter.models.vae import LATENT_CHANNELS
from starter.train.reader import identity_loss
from starter.train.velocity_loss import feature_distance


@dataclass
class _Block:
    out_channels: int


class _UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        block = nn.Identity()
        block.resnets = [_Block(len(Part))]  # type: ignore[assignment]
        self.up_blocks = nn.ModuleList([block, nn.Identity()])

    def forward(self, x: Tensor) -> Tensor:
        for block in self.up_blocks:
            x = block(x)
        return x


def _one_hot_map() -> Tensor:
    return part_shares(torch.randint(0, len(Part), (2, 8, 8)).to(torch.uint8), 8)


def test_part_reader_rewards_features_that_say_the_part() -> None:
    unet, shares = _UNet(), _one_hot_map()
    reader = PartReader(unet)  # type: ignore[arg-type]
    with torch.no_grad():
        reader.classify.weight.copy_(10 * torch.eye(len(Part)).view(len(Part), len(Part), 1, 1))
    weights = torch.ones(2, 1, 8, 8)
    unet(shares)
    right = reader.loss(shares, weights)
    unet(shares.flip(1))
    assert right < 0.1 < reader.loss(shares, weights)


def test_part_reader_keeps_nothing_outside_training() -> None:
    unet, shares = _UNet(), _one_hot_map()
    reader = PartReader(unet).eval()  # type: ignore[arg-type]
    unet(shares)
    with pytest.raises(AssertionError):
        reader.loss(shares, torch.ones(2, 1, 8, 8))


def test_part_shares_of_a_cell_sum_to_one() -> None:
    shares = part_shares(torch.randint(0, len(Part), (3, 16, 16)).to(torch.uint8), 4)
    assert torch.allclose(shares.sum(1), torch.ones(3, 4, 4))


def test_latent_reader_reads_parts_where_the_latents_are_and_a_unit_identity() -> None:
    reading = LatentReader(width=16).eval()(torch.randn(2, LATENT_CHANNELS, 16, 16))
    assert reading.parts.shape == (2, len(Part), 16, 16)
    assert torch.allclose(reading.identity.norm(dim=1), torch.ones(2), atol=1e-5)


def test_identity_loss_prefers_the_own_face() -> None:
    faces = torch.eye(4, 128)
    assert identity_loss(faces, faces) < identity_loss(faces.roll(1, 0), faces)


def test_feature_distance_is_zero_for_equal_maps_and_grows_with_the_error() -> None:
    maps = torch.randn(2, 3, 4, 4)
    assert feature_distance(maps, maps) == 0
    assert feature_distance(maps + 0.1, maps) < feature_distance(maps + 0.5, maps)
