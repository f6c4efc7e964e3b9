"""Styles."""

from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.engine.tools import KnownStyle


def to_style(known: KnownStyle) -> res.Style:
    """Convert a style."""
    style = known.style
    preview = None if known.preview is None else image_pb2.Image(data=known.preview, name=style.name)
    return res.Style(
        name=f"styles/{style.name}",
        display_name=style.title,
        description=style.description,
        version=style.version,
        sha256=known.sha256,
        licence=style.licence,
        prompt_template=style.prompt,
        adapter=style.adapter.name if style.adapter else "",
        effect=style.effect.name if style.effect else "",
        preview=preview,
    )
