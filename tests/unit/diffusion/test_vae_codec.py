"""Pictures from latents: the linear preview shows the colours that the decoder would."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from services.diffusion.adapters.vae_codec import LinearPreview, VaeCodec
from shared.sdmodels import load_vae, open_model_folder
from tests.support.tiny_sd import TinySd, make_tiny_sd


class MixingVae:
    """Decodes a cell to a flat 4 x 4 square whose colour is a mix of its channels, as decoders roughly do."""

    pixels_per_latent = 4
    latent_channels = 4
    _mix = torch.tensor([[0.4, -0.1, 0, 0.1], [0.1, 0.3, 0.2, 0], [-0.2, 0, 0.4, 0.1]])

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        colours = torch.einsum("cl,blhw->bchw", self._mix, latents) + 0.1
        return torch.nn.functional.interpolate(colours, scale_factor=4, mode="nearest")


def test_preview_has_the_colours_of_the_decoded_picture() -> None:
    vae: Any = MixingVae()
    latents = np.zeros((4, 8, 12), np.float32)
    latents[0, :, :6] = 1.2
    latents[2, 4:] = -0.9

    shown = LinearPreview.fit(vae).render(latents)

    decoded = ((vae.decode(torch.from_numpy(latents)[None])[0] / 2 + 0.5) * 255).permute(1, 2, 0).numpy()
    assert shown.shape == (32, 48, 3)
    # Inside of the flat parts; at the edges the ridge pulls towards the neighbours.
    for part in (np.s_[4:12, 4:20], np.s_[20:28, 4:20], np.s_[20:28, 28:44]):
        np.testing.assert_allclose(shown[part], decoded[part], atol=25)
    assert np.abs(shown[8, 8].astype(float) - shown[8, 40]).max() > 40, "the halves differ in colour"


def test_fit_is_deterministic() -> None:
    vae: Any = MixingVae()
    latents = np.random.default_rng(0).standard_normal((4, 8, 8), dtype=np.float32)

    np.testing.assert_array_equal(
        LinearPreview.fit(vae).render(latents), LinearPreview.fit(vae).render(latents)
    )


@pytest.mark.parametrize(
    "spec", [TinySd(), TinySd(space_to_depth=2, shift_factor=0.3)], ids=["plain", "folded"]
)
def test_encoding_is_the_posterior_that_the_vae_draws_from(tmp_path: Path, spec: TinySd) -> None:
    vae = load_vae(open_model_folder(make_tiny_sd(tmp_path / "tiny", spec)))
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)

    found = VaeCodec(vae).encode(image)

    pixels = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    side = vae.pixels_per_latent
    assert found.mean.shape == found.deviation.shape == (4, 32 // side, 48 // side)
    noise = torch.randn(1, *found.mean.shape, generator=torch.Generator().manual_seed(5))[0].numpy()
    drawn = vae.encode(pixels, torch.Generator().manual_seed(5))[0].numpy()
    np.testing.assert_allclose(found.mean, vae.encode(pixels)[0].numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.sample(noise), drawn, rtol=0, atol=1e-5)
    assert np.abs(found.sample(noise) - found.mean).max() > 1e-3
