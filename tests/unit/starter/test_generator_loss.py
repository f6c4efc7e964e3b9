"""What the generator learns from, at toy size."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from starter.data.captions import tokenizer_corpus
from starter.data.latents import Latents
from starter.data.parts import Part, part_shares
from starter.models.generator import Generator
from starter.models.identity import attach_identity
from starter.models.latent_reader import LatentReader
from starter.models.part_reader import PartReader
from starter.models.text import build_text_encoder, build_tokenizer
from starter.models.unet import build_unet
from starter.models.vae import LATENT_CHANNELS
from starter.train.batches import BatchSampler
from starter.train.loop import Recipe
from starter.train.reader import identity_loss
from starter.train.velocity_loss import VelocityLoss, feature_distance
from tests.unit.starter.samples import make_sample


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


def _toy_loss(reader: LatentReader) -> tuple[Generator, VelocityLoss]:
    torch.manual_seed(0)
    sample = make_sample()
    tokenizer = build_tokenizer(tokenizer_corpus([sample]))
    unet = build_unet((32, 32, 32))
    attach_identity(unet, torch.randn(8, 128))
    generator = Generator(tokenizer, build_text_encoder(tokenizer), unet).train()
    shares = torch.full((1, 2, len(Part), 16, 16), 1 / len(Part))
    latents = Latents(torch.randn(1, 2, LATENT_CHANNELS, 16, 16), torch.ones(1, 2, 1, 16, 16), shares)
    recipe = Recipe(steps=1, lr=1e-3, lr_end=1e-3, batch=8)
    return generator, VelocityLoss(BatchSampler([sample], latents), recipe, reader)


def test_one_step_of_the_generator_teaches_all_its_parts_and_leaves_the_reader_alone() -> None:
    reader = LatentReader(width=16).eval().requires_grad_(False)
    generator, loss_fn = _toy_loss(reader)
    loss = loss_fn(generator, 0)
    loss.backward()
    assert torch.isfinite(loss)
    taught = {name.split(".")[0] for name, p in generator.named_parameters() if p.grad is not None}
    assert taught == {"unet", "text_encoder", "parts"}
    assert all(parameter.grad is None for parameter in reader.parameters())


def test_the_reader_adds_to_the_loss_of_the_same_step() -> None:
    generator, with_reader = _toy_loss(LatentReader(width=16).eval().requires_grad_(False))
    whole = with_reader(generator, 0)
    with_reader.reader = None
    assert whole > with_reader(generator, 0)
