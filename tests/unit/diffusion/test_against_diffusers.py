"""The same latents as diffusers' own pipelines: same weights, seed, sampler, steps, guidance."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from services.diffusion.adapters.samplers import SAMPLERS
from services.diffusion.domain.model import Model
from services.diffusion.domain.request import GenerationRequest, IdentityChoice
from shared.sdmodels import load_unet, open_model_folder
from tests.support.pipelines import TOLERANCE, face_id, load_tiny, ours, pipeline, set_adapters, theirs
from tests.support.tiny_sd import TinySd, make_tiny_sd, save_random_lora

_SIZE = {"width": 32, "height": 32}
_ONE = [("person", 0.8)]
_TWO = [("person", 0.8), ("style", 0.5)]

# diffusers' schedulers convert tensors in a way that numpy 2 deprecates; peft warns of a second adapter.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_tiny_sd(tmp_path_factory.mktemp("sd") / "tiny")
    (path / "adapters").mkdir()
    unet = load_unet(open_model_folder(path))
    save_random_lora(unet, path / "adapters" / "person.safetensors", seed=1, rank=3)
    wide = ("to_q", "to_v", "to_out.0", "ff.net.2", "proj_in", "conv1", "time_emb_proj")
    save_random_lora(unet, path / "adapters" / "style.safetensors", seed=2, rank=5, targets=wide)
    return path


@pytest.fixture(scope="module")
def model(tiny: Path) -> Model:
    return load_tiny(tiny)


def _request(sampler: str, **more: Any) -> GenerationRequest:
    given = {"step_count": 6, "guidance_scale": 4.0, "seed": 11, "width_px": 32, "height_px": 32} | more
    return GenerationRequest(prompt="a face", negative_prompt="blur", sampler=sampler, **given)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_text_to_image_with_every_sampler(model: Model, tiny: Path, sampler: str) -> None:
    request = _request(sampler)

    difference = ours(model, request) - theirs(pipeline(tiny, sampler), request, **_SIZE)

    assert np.abs(difference).max() <= TOLERANCE


def test_text_to_image_without_guidance(model: Model, tiny: Path) -> None:
    request = _request("ddim", guidance_scale=1.0)

    difference = ours(model, request) - theirs(pipeline(tiny, "ddim"), request, **_SIZE)

    assert np.abs(difference).max() <= TOLERANCE


@pytest.mark.parametrize("adapters", [_ONE, _TWO], ids=["one", "two"])
def test_adapters_mixed_as_data_equal_set_adapters(
    model: Model, tiny: Path, adapters: list[tuple[str, float]]
) -> None:
    request = _request("dpmpp_2m")
    made = pipeline(tiny, "dpmpp_2m")
    set_adapters(made, tiny, adapters)

    mixed = ours(model, request, adapters)

    assert np.abs(mixed - theirs(made, request, **_SIZE)).max() <= TOLERANCE
    assert np.abs(mixed - ours(model, request)).max() > 0.01, "the adapters do something"


def test_identity_tokens_equal_the_face_id_adapter(model: Model, tiny: Path) -> None:
    embedding = np.random.default_rng(3).standard_normal(128).astype(np.float32)
    embedding /= np.linalg.norm(embedding)
    request = _request("ddim", identity=IdentityChoice((embedding,), 0.7))
    made = pipeline(tiny, "ddim")
    person = face_id(made, tiny, embedding, 0.7)

    drawn = ours(model, request)

    assert np.abs(drawn - theirs(made, request, **_SIZE, **person)).max() <= TOLERANCE
    assert np.abs(drawn - ours(model, _request("ddim"))).max() > 0.01, "the identity does something"


def test_xl_folder_equals_the_xl_pipeline(tmp_path: Path) -> None:
    path = make_tiny_sd(tmp_path / "xl", TinySd(xl=True, ip_adapter=False))
    request = _request("euler")

    expected = theirs(pipeline(path, "euler", "StableDiffusionXLPipeline"), request, **_SIZE)

    assert np.abs(ours(load_tiny(path), request) - expected).max() <= TOLERANCE


def test_decoded_picture_equals_the_pipelines(model: Model, tiny: Path) -> None:
    made = pipeline(tiny, "ddim")
    latents = ours(model, _request("ddim"))
    raw = torch.from_numpy(latents)[None] / made.vae.config.scaling_factor
    with torch.no_grad():
        expected = made.image_processor.postprocess(made.vae.decode(raw, return_dict=False)[0])[0]

    np.testing.assert_array_equal(model.codec.decode(latents), np.asarray(expected))
