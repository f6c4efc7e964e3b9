"""ANALYSE: read the references and decide what is to be done."""

from services.orchestrator.domain.identity import Identity
from services.orchestrator.domain.portrait import IdentityMode
from services.orchestrator.domain.ports import DiffusionModel
from services.orchestrator.domain.prompts import MIN_ATTRIBUTE_CONFIDENCE, build_prompt, split_phrases
from services.orchestrator.domain.stages import Plan
from services.orchestrator.domain.style_needs import model_of, shortage
from services.orchestrator.engine.stages.embedders import with_present_embedders
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.errors import CapabilityUnavailable, UnknownModel
from shared.artifacts import UnknownArtifact

# What GenerateRequest takes.
_LARGEST_DRAW_PX = 1024


async def analyse(job: Job) -> Plan:
    """Check the style and the references against what is installed, and plan the portrait.

    Raises:
        UnknownModel: The style names a model that is not installed.
        CapabilityUnavailable: The style needs an adapter or an effect that is not installed, or the model
        takes neither this embedder's identity tokens nor has an adapter.
        NoUsablePhoto: The references were judged anew, as the embedder has changed, and none passed.
    """
    spec, style = job.portrait.spec, job.style
    model = await _equipped(job)
    identity = await with_present_embedders(job, await job.identity())
    adapter = identity.adapter
    fits = adapter is not None and adapter.base_model_digest == model.digest
    if fits and adapter is not None and not await _exists(job, adapter.artifact.uri):
        fits = False
    train = spec.mode is IdentityMode.TRAIN and not fits
    use_adapter = fits and spec.mode is not IdentityMode.TRAIN_FREE
    if not train and not use_adapter:
        _check_tokens(model, identity)
    attributes = {
        item.name: item.value for item in identity.attributes if item.confidence >= MIN_ATTRIBUTE_CONFIDENCE
    }
    negative = [*split_phrases(style.negative_prompt), *split_phrases(spec.negative_prompt)]
    draw_size_px, upscale = draw_size(model.size_px, spec.size_px)
    return Plan(
        prompt=build_prompt(style.prompt, attributes, spec.prompt),
        negative_prompt=", ".join(dict.fromkeys(negative)),
        model=model.name,
        # Services may call the same model by other names; the default is the same for all.
        training_model="" if model.is_default else model.name,
        model_digest=model.digest,
        draw_size_px=draw_size_px,
        upscale=upscale,
        use_tokens=_takes_tokens(model, identity),
        train=train,
        adapter_artifact=adapter.artifact if use_adapter and adapter is not None else None,
        reference_count=len(identity.accepted()),
    )


def draw_size(own_px: int, wanted_px: int) -> tuple[int, int]:
    """Return the size at which diffusion draws and the factor of the upscaler after it.

    A model is best at its own size; half of what is wanted is doubled by the upscaler.
    """
    if 2 * own_px == wanted_px:
        return own_px, 2
    return min(wanted_px, _LARGEST_DRAW_PX), 1


async def _equipped(job: Job) -> DiffusionModel:
    """The style's model, which has all that the style needs: it is never drawn without a part of it."""
    style, tools = job.style, job.tools
    models = await tools.diffusion.models(job.caller)
    effects = await tools.stylization.effects(job.caller) if style.effect is not None else None
    if (model := model_of(style, models)) is None:
        raise UnknownModel(model=style.model or "(default)", known=", ".join(known.name for known in models))
    if lacking := shortage(style, models, effects):
        raise CapabilityUnavailable(capability=f"the style styles/{style.name}", needed=lacking)
    return model


def _takes_tokens(model: DiffusionModel, identity: Identity) -> bool:
    dimensions = {len(embedding.values) for embedding in identity.embeddings()}
    return dimensions == {model.identity_dimension}


def _check_tokens(model: DiffusionModel, identity: Identity) -> None:
    if not _takes_tokens(model, identity):
        raise CapabilityUnavailable(
            capability=f"portraits without training on model {model.name}",
            needed="use a model with identity tokens for this face backend, or train an adapter",
        )


async def _exists(job: Job, uri: str) -> bool:
    # Equal photos of two identities train to equal bytes: deleting one identity may have taken the other's
    # adapter.
    try:
        await job.tools.artifacts.get(uri, tenant=job.portrait.tenant)
    except UnknownArtifact:
        return False
    return True
