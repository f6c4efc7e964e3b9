"""From a request to its denoising program: checked against the model, its conditions encoded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import AdapterMix, AdapterUse, text_part
from services.diffusion.domain.latents import LatentDistribution
from services.diffusion.domain.model import Model
from services.diffusion.domain.ports import AdapterStore
from services.diffusion.domain.programs import DEFAULT_TECHNIQUE, TECHNIQUES, DenoisingProgram, ProgramInput
from services.diffusion.domain.request import AdapterChoice, GenerationRequest, identity_unavailable
from services.diffusion.domain.rows import IdentityCondition, Prompt, TextCondition
from services.diffusion.engine.pictures import prepare_hint, prepare_source, scaled
from services.diffusion.errors import ValueOutOfRange

Image = NDArray[np.uint8]

# The proto promises sizes in these steps for every model, whatever its own granularity.
_SIZE_STEP_PX = 32


@dataclass(frozen=True, eq=False)
class Encoded:
    """What the networks besides the UNet made of a request; `source` is None without a source picture."""

    prompt: TextCondition
    negative_prompt: TextCondition
    source: LatentDistribution | None = None


def load_adapter(store: AdapterStore, choice: AdapterChoice, tenant: str) -> AdapterUse:
    """One adapter of a request. Blocking. Raises: as the store."""
    if choice.name:
        return AdapterUse(store.by_name(choice.name), choice.weight, choice.of_person)
    loaded = store.by_artifact(choice.uri, choice.sha256, tenant=tenant)
    return AdapterUse(loaded, choice.weight, choice.of_person)


def picture_size_px(model: Model, request: GenerationRequest) -> tuple[int, int]:
    """(width, height) of the picture. Raises: ValueOutOfRange."""
    return request.size_px(model.info.size_px, max(_SIZE_STEP_PX, model.codec.pixels_per_latent))


def prompts_of(model: Model, request: GenerationRequest) -> tuple[Prompt, Prompt]:
    """Prompt and negative prompt of a request. Raises: ValueOutOfRange, also for a weight of a word."""
    size = picture_size_px(model, request)
    both = Prompt("prompt", request.prompt, size), Prompt("negative_prompt", request.negative_prompt, size)
    for prompt in both:
        # One that is malformed must not come to the encoder together with others.
        _ = prompt.spans
    return both


def unfamiliar_words(model: Model, request: GenerationRequest) -> tuple[str, ...]:
    """Words of both prompts that the model can hardly know, each once. Blocking. Raises: ValueOutOfRange."""
    both = (model.text.unfamiliar_words(prompt) for prompt in prompts_of(model, request))
    return tuple(dict.fromkeys(word for words in both for word in words))


def source_image(model: Model, request: GenerationRequest) -> Image | None:
    """The source picture in the finished picture's size, RGB uint8 [H, W, 3]; None without one."""
    if request.source is None:
        return None
    return scaled(request.source.image, picture_size_px(model, request))


def encode_alone(model: Model, request: GenerationRequest, mix: AdapterMix) -> Encoded:
    """Encode for this request alone, in this thread. Blocking. Raises: PromptTooLong, ValueOutOfRange."""
    prompt, negative = model.text.encode(prompts_of(model, request), text_part(mix))
    image = source_image(model, request)
    return Encoded(prompt, negative, None if image is None else model.codec.encode(image))


def start_program(
    model: Model, request: GenerationRequest, mix: AdapterMix, encoded: Encoded | None = None
) -> DenoisingProgram:
    """Check the request and make its program; without *encoded* it encodes for itself. Blocking.

    Raises: ValueOutOfRange, CapabilityUnavailable; PromptTooLong without *encoded*.
    """
    name = technique_of(request)
    width, height = size = picture_size_px(model, request)
    sampler = model.samplers.create(request.sampler, request.step_count, request.seed, request.strength)
    identity, null_identity = identity_conditions(model, request)
    hint = prepare_hint(model, request.control, size)
    encoded = encoded or encode_alone(model, request, mix)
    source = None
    if request.source is not None and encoded.source is not None:
        source = prepare_source(request.source, size, encoded.source)
    cell_px = model.codec.pixels_per_latent
    return TECHNIQUES[name](
        ProgramInput(
            sampler=sampler,
            latent_shape=(model.codec.latent_channels, height // cell_px, width // cell_px),
            cell_px=cell_px,
            prompt=encoded.prompt,
            negative_prompt=encoded.negative_prompt,
            guidance=request.guidance,
            identity=identity,
            null_identity=null_identity,
            adapters=mix,
            control=hint,
            source=source,
            injection=request.injection,
            shows_person=request.shows_person,
        )
    )


def technique_of(request: GenerationRequest) -> str:
    """The name of the request's technique. Raises: ValueOutOfRange."""
    name = request.technique or DEFAULT_TECHNIQUE
    if name not in TECHNIQUES:
        raise ValueOutOfRange(field="technique", value=name, range=", ".join(TECHNIQUES))
    return name


def identity_conditions(
    model: Model, request: GenerationRequest
) -> tuple[IdentityCondition | None, IdentityCondition | None]:
    """The person and nobody, as the model's rows see them; None twice if the request names no person.

    Raises: CapabilityUnavailable, ValueOutOfRange.
    """
    if request.identity is None:
        return None, None
    if model.identity is None:
        raise identity_unavailable(model.info.name)
    embedding = request.identity.mean_embedding(model.identity.dimension)
    return model.identity.encode(embedding, request.identity.scale)
