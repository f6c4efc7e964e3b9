"""At the start: blobs that were stored for something that never came to be are deleted."""

import asyncio

from services.orchestrator.engine.tools import Tools


async def sweep(tools: Tools) -> int:
    """Release the blobs of owners without a record: an upload or a deletion that a crash cut short.

    To be called before work begins: a record is written after its blobs.

    Returns:
        How many blobs were deleted.
    """
    deleted = 0
    for tenant, owner in await asyncio.to_thread(tools.store.owners):
        kind, _, record_id = owner.partition("/")
        find = {"identities": tools.store.find_identity, "portraits": tools.store.find_portrait}.get(kind)
        if find is None or await asyncio.to_thread(find, tenant, record_id) is None:
            deleted += await tools.artifacts.release(tenant=tenant, owner=owner)
    return deleted
