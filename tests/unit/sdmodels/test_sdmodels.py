"""Reading Stable Diffusion folders: complete ones load, incomplete or unsafe ones are refused by name."""

from pathlib import Path

import pytest
import torch

from shared.sdmodels import (
    LoraMetadata,
    ModelFileMissing,
    ModelUnsupported,
    TooManyTokens,
    base_model_digest,
    count_tokens,
    encode_prompts,
    load_noise_schedule,
    load_text_encoder,
    load_tokenizer,
    load_unet,
    load_vae,
    open_model_folder,
)
from tests.support.tiny_sd import TinySd, make_tiny_sd


@pytest.fixture(scope="module")
def folder_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("models") / "tiny")


def test_folder_tells_its_geometry(folder_path: Path) -> None:
    folder = open_model_folder(folder_path)

    assert (
        folder.name,
        folder.family,
        folder.latent_channels,
        folder.pixels_per_latent,
        folder.default_size_px,
    ) == ("tiny", "sd", 4, 2, 16)


def test_every_component_loads_and_is_frozen(folder_path: Path) -> None:
    folder = open_model_folder(folder_path)

    for module in (load_unet(folder), load_vae(folder).vae, load_text_encoder(folder)):
        assert not module.training
        assert not any(parameter.requires_grad for parameter in module.parameters())
    assert load_noise_schedule(folder).config.prediction_type == "epsilon"


@pytest.mark.parametrize(("fold", "shift"), [(1, None), (2, 0.25)])
def test_vae_round_trip_keeps_geometry_and_scaling(tmp_path: Path, fold: int, shift: float | None) -> None:
    folder = open_model_folder(make_tiny_sd(tmp_path / "m", TinySd(space_to_depth=fold, shift_factor=shift)))
    vae = load_vae(folder)
    images = torch.rand(2, 3, 32, 48) * 2 - 1

    latents = vae.encode(images)

    assert (2, 4, 32 // (2 * fold), 48 // (2 * fold)) == tuple(latents.shape)
    assert images.shape == vae.decode(latents).shape
    folded = torch.nn.functional.pixel_unshuffle(images, fold)
    raw = vae.vae.encode(folded).latent_dist.mode()
    torch.testing.assert_close(latents, (raw - (shift or 0.0)) * 0.5)


def test_deterministic_vae_has_its_geometry_and_no_spread(tmp_path: Path) -> None:
    spec = TinySd(space_to_depth=2, has_deterministic_vae=True)
    folder = open_model_folder(make_tiny_sd(tmp_path / "m", spec))
    vae = load_vae(folder)
    images = torch.rand(2, 3, 32, 48) * 2 - 1

    latents = vae.encode(images, torch.Generator().manual_seed(0))

    assert tuple(latents.shape) == (2, 4, 8, 12)
    assert folder.pixels_per_latent == vae.pixels_per_latent == 4
    assert images.shape == vae.decode(latents).shape
    mean, spread = vae.posterior(images)
    torch.testing.assert_close(latents, mean)
    assert not spread.any()


def test_unknown_class_of_vae_is_refused_by_name(tmp_path: Path) -> None:
    path = make_tiny_sd(tmp_path / "m")
    config = path / "vae" / "config.json"
    config.write_text(config.read_text().replace("AutoencoderKL", "VQModel"))

    with pytest.raises(ModelUnsupported, match="VQModel"):
        load_vae(open_model_folder(path))


def test_prompt_at_the_limit_is_encoded_and_one_over_is_refused(folder_path: Path) -> None:
    folder = open_model_folder(folder_path)
    tokenizer, encoder = load_tokenizer(folder), load_text_encoder(folder)

    assert tuple(encode_prompts(tokenizer, encoder, ["a " * 14]).shape) == (1, 16, 16)
    with pytest.raises(TooManyTokens) as caught:
        encode_prompts(tokenizer, encoder, ["a", "a " * 15])

    assert (caught.value.token_count, caught.value.token_limit) == (17, 16)
    assert count_tokens(tokenizer, "a") == 3


def test_digest_depends_on_the_unet_weights_alone(tmp_path: Path) -> None:
    first = base_model_digest(open_model_folder(make_tiny_sd(tmp_path / "a")))
    same = base_model_digest(open_model_folder(make_tiny_sd(tmp_path / "b", TinySd(space_to_depth=2))))
    other = base_model_digest(open_model_folder(make_tiny_sd(tmp_path / "c", TinySd(seed=1))))

    assert first == same != other
    assert len(first) == 64


def test_folder_with_pickled_weights_only_is_refused(tmp_path: Path) -> None:
    path = make_tiny_sd(tmp_path / "m")
    weights = path / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))

    with pytest.raises(ModelFileMissing, match="pickles are never read"):
        open_model_folder(path)


def test_folder_without_unet_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "FluxPipeline", "transformer": ["a", "b"]}')

    with pytest.raises(ModelUnsupported, match="FluxPipeline"):
        open_model_folder(tmp_path)


def test_lora_metadata_round_trips_and_leaves_unknown_facts_out() -> None:
    metadata = LoraMetadata(base_model_sha256="ab", rank=8)

    assert metadata.to_safetensors() == {"base_model_sha256": "ab", "rank": "8"}
    assert metadata == LoraMetadata.from_safetensors(metadata.to_safetensors())
    assert LoraMetadata() == LoraMetadata.from_safetensors(None)
