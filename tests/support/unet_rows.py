"""Rows and adapters that fill every place a row has, for the tests of UNet backends."""

import numpy as np

from services.diffusion.domain.adapters import Adapter, AdapterUse, LoraLayer
from services.diffusion.domain.rows import IdentityCondition, TextCondition, UNetRow

Layers = dict[str, tuple[int, ...]]
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
LATENT = (4, 8, 8)
TOKENS, WIDTH = 16, 16


def adapter(
    layers: Layers, seed: int, rank: int, ends: tuple[str, ...] = ("",), size: float = 0.2
) -> Adapter:
    """Random matrices for every one of *layers* whose path ends in one of *ends*."""
    random = np.random.default_rng(seed)

    def layer(shape: tuple[int, ...]) -> LoraLayer:
        down = random.standard_normal((rank, *shape[1:]), dtype=np.float32) * np.float32(size)
        up = random.standard_normal((shape[0], rank, *(1 for _ in shape[2:])), dtype=np.float32)
        return LoraLayer(down, up * np.float32(size))

    updates = {path: layer(shape) for path, shape in layers.items() if path.endswith(ends)}
    assert updates
    return Adapter(f"a{seed}", f"{seed * 7919 % 65536:04x}" * 16, 0, updates)


def plain_row(
    seed: int, latent: tuple[int, ...] = LATENT, context: tuple[int, int] = (TOKENS, WIDTH)
) -> UNetRow:
    """A row of text alone."""
    random = np.random.default_rng(seed)
    text = TextCondition(random.standard_normal(context, dtype=np.float32))
    return UNetRow(random.standard_normal(latent, dtype=np.float32), float(37 * seed % 1000), text)


def identity(seed: int, scale: float = 0.8, width: int = WIDTH) -> IdentityCondition:
    """Random tokens."""
    return IdentityCondition(np.random.default_rng(seed).standard_normal((4, width), dtype=np.float32), scale)


def stranger(
    seed: int,
    layers: Layers,
    latent: tuple[int, ...] = LATENT,
    context: tuple[int, int] = (TOKENS, WIDTH),
) -> UNetRow:
    """A row that differs from every other seed's in all that it can carry; mixes, ranks and layers vary."""
    row = plain_row(seed, latent, context)
    ends = (ATTENTION, ("",), ("conv1", "conv_shortcut", "to_k"))[seed % 3]
    mix = tuple(
        AdapterUse(adapter(layers, 10 * seed + k, 1 + (3 * seed + k) % 7, ends), 0.5 + k / 4)
        for k in range(seed % 4)
    )
    given = identity(seed, 0.4 + 0.1 * seed, context[1]) if seed % 2 else None
    return UNetRow(row.latent, row.timestep, row.text, given, mix)
