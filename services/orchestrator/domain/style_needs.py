"""What a style needs that may not be installed."""

from collections.abc import Collection, Sequence

from services.orchestrator.domain.ports import DiffusionModel
from services.orchestrator.domain.styles import Style


def model_of(style: Style, models: Sequence[DiffusionModel]) -> DiffusionModel | None:
    """Return the model that a style is drawn with, or None where it is not installed."""
    for model in models:
        if model.name == style.model or (not style.model and model.is_default):
            return model
    return None


def shortage(style: Style, models: Sequence[DiffusionModel], effects: Collection[str] | None) -> str:
    """Say what a style lacks, as a thing to do; empty where it can be drawn.

    Args:
        style: The style.
        models: Installed models.
        effects: Installed effects of the stylization service; None where they were not asked for.
    """
    model = model_of(style, models)
    if model is None:
        return f"install the model {style.model or '(default)'} in the diffusion service"
    missing = [item.name for item in style.adapters if item.name not in model.adapters]
    if missing:
        files = ", ".join(f"adapters/{name}.safetensors" for name in missing)
        return f"put {files} into the folder of the model {model.name}"
    if style.effect is not None and effects is not None and style.effect.name not in effects:
        return f"install the effect {style.effect.name} in the stylization service"
    return ""
