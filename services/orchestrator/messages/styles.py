"""Styles."""

from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.engine.gallery import StyleCard


def to_style(card: StyleCard, omit_preview: bool = False) -> res.Style:
    """Convert a style."""
    known, style = card.known, card.known.style
    preview = None
    if known.preview is not None and not omit_preview:
        preview = image_pb2.Image(data=known.preview, name=style.name)
    return res.Style(
        name=f"styles/{style.name}",
        display_name=style.title,
        description=style.description,
        version=style.version,
        sha256=known.sha256,
        licence=style.licence,
        prompt_template=style.prompt,
        adapter=style.adapters[0].name if style.adapters else "",
        adapters=[item.name for item in style.adapters],
        effect=style.effect.name if style.effect else "",
        preview=preview,
        group=style.group,
        group_title=known.group_title,
        tags=style.tags,
        availability=_availability(card.shortage),
        unavailable_reason=f"It cannot be drawn here: {card.shortage}." if card.shortage else "",
    )


def _availability(shortage: str | None) -> res.StyleAvailability:
    if shortage is None:
        return res.STYLE_AVAILABILITY_UNSPECIFIED
    return res.STYLE_AVAILABILITY_UNAVAILABLE if shortage else res.STYLE_AVAILABILITY_AVAILABLE
