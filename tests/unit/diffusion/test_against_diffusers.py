"""The same latents as diffusers' own pipelines: same weights, seed, sampler, steps, guidance."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from services.diffusion.adapters.model_folders import AdapterLimits, load_model
from services.diffusion.adapters.samplers import SAMPLERS
from services.diffusion.domain.adapters import AdapterUse
from services.diffusion.domain.model import Model
from services.diffusion.domain.programs import DenoisingProgram
from services.diffusion.domain.request import GenerationRequest, IdentityChoice
from services.diffusion.domain.rows import RowBatch
from services.diffusion.engine.generation import start_program
from shared.artifacts import open_store
from shared.sdmodels import load_unet, open_model_folder
from tests.support.tiny_sd import TinySd, make_tiny_sd, save_random_lora

_TOLERANCE = 1e-4  # float32, absolute, on latents
_ONE = [("person", 0.8)]
_TWO = [("person", 0.8), ("style", 0.5)]

# diffusers' schedulers convert tensors in a way that numpy 2 deprecates; peft warns of a second adapter.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning"),
]


def _load(path: Path) -> Model:
    limits = AdapterLimits(max_rank=64, cache_bytes=2**20)
    return load_model("tiny", open_model_folder(path), open_store("memory://diffusers"), limits)


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
    return _load(tiny)


def _drive(model: Model, program: DenoisingProgram) -> np.ndarray:
    """Run a program alone, without the engine."""
    step = next(program)
    while True:
        try:
            step = program.send(tuple(model.unet.predict(RowBatch.of(step.rows))))
        except StopIteration as end:
            return end.value


def _ours(model: Model, request: GenerationRequest, adapters: Sequence[tuple[str, float]] = ()) -> np.ndarray:
    mix = tuple(AdapterUse(model.adapters.by_name(name), weight) for name, weight in adapters)
    return _drive(model, start_program(model, request, mix))


def _pipeline(path: Path, sampler: str, class_name: str = "StableDiffusionPipeline") -> Any:
    import diffusers

    extra = {} if "XL" in class_name else {"safety_checker": None, "requires_safety_checker": False}
    pipeline = getattr(diffusers, class_name).from_pretrained(path, use_safetensors=True, **extra)
    scheduler, overrides = SAMPLERS[sampler]
    pipeline.scheduler = getattr(diffusers, scheduler).from_config(pipeline.scheduler.config, **overrides)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _theirs(pipeline: Any, request: GenerationRequest, **more: Any) -> np.ndarray:
    images = pipeline(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        num_inference_steps=request.step_count,
        guidance_scale=request.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        width=32,
        height=32,
        output_type="latent",
        **more,
    ).images
    return images[0].numpy()


def _request(sampler: str, **more: Any) -> GenerationRequest:
    given = {"step_count": 6, "guidance_scale": 4.0, "seed": 11, "width_px": 32, "height_px": 32} | more
    return GenerationRequest(prompt="a face", negative_prompt="blur", sampler=sampler, **given)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_text_to_image_with_every_sampler(model: Model, tiny: Path, sampler: str) -> None:
    request = _request(sampler)

    difference = _ours(model, request) - _theirs(_pipeline(tiny, sampler), request)

    assert np.abs(difference).max() <= _TOLERANCE


def test_text_to_image_without_guidance(model: Model, tiny: Path) -> None:
    request = _request("ddim", guidance_scale=1.0)

    difference = _ours(model, request) - _theirs(_pipeline(tiny, "ddim"), request)

    assert np.abs(difference).max() <= _TOLERANCE


@pytest.mark.parametrize("adapters", [_ONE, _TWO], ids=["one", "two"])
def test_adapters_mixed_as_data_equal_set_adapters(
    model: Model, tiny: Path, adapters: list[tuple[str, float]]
) -> None:
    request = _request("dpmpp_2m")
    pipeline = _pipeline(tiny, "dpmpp_2m")
    for name, _ in adapters:
        pipeline.load_lora_weights(tiny / "adapters" / f"{name}.safetensors", adapter_name=name)
    pipeline.set_adapters([name for name, _ in adapters], [weight for _, weight in adapters])

    ours = _ours(model, request, adapters)

    assert np.abs(ours - _theirs(pipeline, request)).max() <= _TOLERANCE
    assert np.abs(ours - _ours(model, request)).max() > 0.01, "the adapters do something"


def test_identity_tokens_equal_the_face_id_adapter(model: Model, tiny: Path) -> None:
    embedding = np.random.default_rng(3).standard_normal(128).astype(np.float32)
    embedding /= np.linalg.norm(embedding)
    request = _request("ddim", identity=IdentityChoice((embedding,), 0.7))
    pipeline = _pipeline(tiny, "ddim")
    pipeline.load_ip_adapter(
        str(tiny), subfolder="", weight_name="ip_adapter.safetensors", image_encoder_folder=None
    )
    pipeline.set_ip_adapter_scale(0.7)
    prompted = torch.from_numpy(embedding)[None, None]
    pair = torch.cat([torch.zeros_like(prompted), prompted])

    ours = _ours(model, request)

    assert np.abs(ours - _theirs(pipeline, request, ip_adapter_image_embeds=[pair])).max() <= _TOLERANCE
    assert np.abs(ours - _ours(model, _request("ddim"))).max() > 0.01, "the identity does something"


def test_xl_folder_equals_the_xl_pipeline(tmp_path: Path) -> None:
    path = make_tiny_sd(tmp_path / "xl", TinySd(xl=True, ip_adapter=False))
    request = _request("euler")

    theirs = _theirs(_pipeline(path, "euler", "StableDiffusionXLPipeline"), request)

    assert np.abs(_ours(_load(path), request) - theirs).max() <= _TOLERANCE


def test_decoded_picture_equals_the_pipelines(model: Model, tiny: Path) -> None:
    request = _request("ddim")
    pipeline = _pipeline(tiny, "ddim")
    latents = _ours(model, request)
    raw = torch.from_numpy(latents)[None] / pipeline.vae.config.scaling_factor
    with torch.no_grad():
        theirs = pipeline.image_processor.postprocess(pipeline.vae.decode(raw, return_dict=False)[0])[0]

    np.testing.assert_array_equal(model.codec.decode(latents), np.asarray(theirs))
