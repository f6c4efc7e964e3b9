"""Portraits of one candidate, and what the stage FUSE has done to it."""

from typing import Any

from likeness.orchestrator.v1 import resources_pb2 as res

from tests.support.orchestra import Orchestra

# The steps of finishing that are on unless a client turns them off, in order.
STEPS = ["fuse", "restore_texture", "restore_marks", "enhance"]
ONE = {"portrait_count": 1, "candidate_count": 1}


async def made(stage: Orchestra, **spec: Any) -> res.Portrait:
    """Make a portrait of one candidate."""
    created = await stage.client.create(await stage.client.identity(), **{**ONE, **spec})
    return await stage.client.finished(created.name)


def edits(portrait: res.Portrait) -> dict[str, res.Edit]:
    """The edits of the only candidate."""
    return {edit.step: edit for edit in portrait.candidates[0].edits}
