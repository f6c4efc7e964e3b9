"""Techniques that start from a picture: the same latents as diffusers' own pipelines."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.diffusion.adapters.samplers import SAMPLERS
from services.diffusion.domain.model import Model
from services.diffusion.domain.request import (
    ControlChoice,
    GenerationRequest,
    IdentityChoice,
    SourceChoice,
)
from shared.sdmodels import load_unet, open_model_folder
from tests.support.pipelines import TOLERANCE, face_id, load_tiny, ours, pipeline, set_adapters, theirs
from tests.support.tiny_sd import TinySd, add_control_net, make_tiny_sd, save_random_lora

# diffusers' schedulers convert tensors in a way that numpy 2 deprecates; peft warns of a second adapter.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning"),
]

_MIX = [("person", 0.8), ("style", 0.5)]
_FEW_STEPS = ("lcm", "dpmpp_2m", "unipc", "ddim", "euler", "euler_ancestral", "heun")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = add_control_net(make_tiny_sd(tmp_path_factory.mktemp("sd") / "tiny"))
    (path / "adapters").mkdir()
    unet = load_unet(open_model_folder(path))
    save_random_lora(unet, path / "adapters" / "person.safetensors", seed=1, rank=3)
    save_random_lora(unet, path / "adapters" / "style.safetensors", seed=2, rank=5, targets=("to_q", "conv1"))
    return path


@pytest.fixture(scope="module")
def model(tiny: Path) -> Model:
    return load_tiny(tiny)


def _picture(seed: int = 0) -> np.ndarray:
    """Smooth colours, so that the autoencoder has something to keep."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC))


def _mask() -> np.ndarray:
    """Along the borders of latent cells: diffusers looks at one pixel of each, we at all."""
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[16:48, 8:40] = 255
    return mask


def _request(sampler: str, strength: float = 0.6, mask: np.ndarray | None = None, **more: Any) -> Any:
    given = {"step_count": 6, "guidance_scale": 4.0, "seed": 11, "sampler": sampler} | more
    technique = "image_to_image" if mask is None else "inpaint"
    source = SourceChoice(_picture(), strength, mask, feather_px=4)
    return GenerationRequest("a face", negative_prompt="blur", technique=technique, source=source, **given)


def _call(request: GenerationRequest) -> dict[str, Any]:
    source = request.source
    given = {"image": Image.fromarray(source.image), "strength": source.strength}
    if source.mask is not None:
        given |= {"mask_image": Image.fromarray(source.mask), "width": 64, "height": 64}
    return given


@pytest.mark.parametrize("sampler", [*SAMPLERS, "PNDMScheduler", "KDPM2DiscreteScheduler"])
def test_image_to_image_with_every_sampler(model: Model, tiny: Path, sampler: str) -> None:
    request = _request(sampler)
    made = pipeline(tiny, sampler, "StableDiffusionImg2ImgPipeline")

    difference = ours(model, request) - theirs(made, request, **_call(request))

    assert np.abs(difference).max() <= TOLERANCE


@pytest.mark.parametrize("strength", [0.2, 1.0])
def test_image_to_image_at_the_ends_of_its_range(model: Model, tiny: Path, strength: float) -> None:
    request = _request("ddim", strength)
    made = pipeline(tiny, "ddim", "StableDiffusionImg2ImgPipeline")

    difference = ours(model, request) - theirs(made, request, **_call(request))

    assert np.abs(difference).max() <= TOLERANCE


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("sampler", _FEW_STEPS)
def test_inpaint(model: Model, tiny: Path, sampler: str, strength: float) -> None:
    request = _request(sampler, strength, _mask())
    made = pipeline(tiny, sampler, "StableDiffusionInpaintPipeline")

    difference = ours(model, request) - theirs(made, request, **_call(request))

    assert np.abs(difference).max() <= TOLERANCE


def test_two_adapters_and_an_identity_on_a_picture(model: Model, tiny: Path) -> None:
    embedding = np.random.default_rng(3).standard_normal(128).astype(np.float32)
    embedding /= np.linalg.norm(embedding)
    request = _request("dpmpp_2m", identity=IdentityChoice((embedding,), 0.7))
    made = pipeline(tiny, "dpmpp_2m", "StableDiffusionImg2ImgPipeline")
    set_adapters(made, tiny, _MIX)
    person = face_id(made, tiny, embedding, 0.7)

    drawn = ours(model, request, _MIX)

    assert np.abs(drawn - theirs(made, request, **_call(request), **person)).max() <= TOLERANCE
    assert np.abs(drawn - ours(model, request)).max() > 0.01, "the adapters do something"
    assert np.abs(drawn - ours(model, _request("dpmpp_2m"), _MIX)).max() > 0.01, "the identity does something"


@pytest.mark.parametrize("technique", ["image_to_image", "inpaint"])
def test_xl_folder(tmp_path: Path, technique: str) -> None:
    path = make_tiny_sd(tmp_path / "xl", TinySd(xl=True, ip_adapter=False))
    request = _request("euler", mask=_mask() if technique == "inpaint" else None)
    kind = {"image_to_image": "Img2Img", "inpaint": "Inpaint"}[technique]
    made = pipeline(path, "euler", f"StableDiffusionXL{kind}Pipeline")

    difference = ours(load_tiny(path), request) - theirs(made, request, **_call(request))

    assert np.abs(difference).max() <= TOLERANCE


@pytest.mark.parametrize("guidance_scale", [1.0, 4.0])
def test_control_picture(model: Model, tiny: Path, guidance_scale: float) -> None:
    given = {"step_count": 6, "guidance_scale": guidance_scale, "seed": 11, "sampler": "unipc"}
    size = {"width_px": 64, "height_px": 64}
    request = GenerationRequest("a face", "blur", control=ControlChoice(_picture(), 0.7), **size, **given)

    drawn = ours(model, request)

    expected = _controlled(tiny, "StableDiffusionControlNetPipeline", request)
    assert np.abs(drawn - expected).max() <= TOLERANCE
    plain = ours(model, GenerationRequest("a face", "blur", **size, **given))
    assert np.abs(drawn - plain).max() > 0.01, "the control picture does something"


def test_control_picture_on_an_xl_folder(tmp_path: Path) -> None:
    spec = TinySd(xl=True, ip_adapter=False)
    path = add_control_net(make_tiny_sd(tmp_path / "xl", spec), spec)
    given = {"step_count": 3, "guidance_scale": 4.0, "sampler": "unipc", "width_px": 64, "height_px": 64}
    request = GenerationRequest("a face", "blur", control=ControlChoice(_picture(), 0.7), **given)

    drawn = ours(load_tiny(path), request)

    expected = _controlled(path, "StableDiffusionXLControlNetPipeline", request)
    assert np.abs(drawn - expected).max() <= TOLERANCE


def _controlled(path: Path, class_name: str, request: GenerationRequest) -> np.ndarray:
    """Latents of diffusers' pipeline with the folder's ControlNet."""
    from diffusers import ControlNetModel

    network = ControlNetModel.from_pretrained(path / "controlnet", use_safetensors=True)
    return theirs(
        pipeline(path, request.sampler, class_name, controlnet=network),
        request,
        image=Image.fromarray(request.control.image),
        controlnet_conditioning_scale=request.control.scale,
        width=64,
        height=64,
    )
