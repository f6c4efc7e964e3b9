"""Identities outlive embedders: what an earlier backend measured is measured again by the one at work now."""

import asyncio

from services.orchestrator.domain.faces import Face, FacedPicture, Picture
from services.orchestrator.domain.identity import Identity, Photo
from services.orchestrator.engine.references import JudgedSet, judge
from services.orchestrator.engine.stages.job import Job


async def with_present_embedders(job: Job, identity: Identity) -> Identity:
    """Return the identity with the embeddings of the backend that is at work now, and keep it so.

    Where the embedder has changed, the photos are judged anew; where only the metric that faces are compared
    by has, or an identity was made before there was one, they are compared anew and the verdicts stay.

    Raises:
        NoUsablePhoto: The photos were judged anew, and none passed.
    """
    first = identity.accepted()[0]
    assert first.reference is not None and first.face is not None
    picture = await job.read(first.reference, first.display_name)
    [result] = await job.tools.face_analysis.analyze([picture], job.caller)
    if not result.faces:
        return identity
    known, found = first.face, max(result.faces, key=first.face.overlap)
    if found.embedding is None:
        return identity
    if known.embedding is None or known.embedding.model != found.embedding.model:
        return await _judged_anew(job, identity)
    models = {item.model for item in identity.comparison_embeddings()}
    if found.compared is None or models == {found.compared.model}:
        return identity
    return await _compared_anew(job, identity)


async def _judged_anew(job: Job, identity: Identity) -> Identity:
    photos = [photo for photo in identity.photos if photo.original is not None]
    pictures: list[Picture] = []
    for photo in photos:
        assert photo.original is not None
        pictures.append(await job.read(photo.original, photo.display_name))
    judged: JudgedSet = await judge(job.tools, pictures, job.caller, identity.owner)
    change = {
        "photos": judged.photos,
        "attributes": judged.attributes,
        "template_index": judged.template_index,
    }
    return await _updated(job, identity, change)


async def _compared_anew(job: Job, identity: Identity) -> Identity:
    references = await job.references(identity)
    results = await job.tools.face_analysis.analyze([item.picture for item in references], job.caller)
    fresh: dict[str, Face] = {}
    for reference, result in zip(references, results, strict=True):
        assert reference.picture.ref is not None
        fresh[reference.picture.ref.sha256] = _with_comparison(reference, result.faces)
    photos = tuple(_renewed(photo, fresh) for photo in identity.photos)
    return await _updated(job, identity, {"photos": photos})


def _with_comparison(reference: FacedPicture, found: tuple[Face, ...]) -> Face:
    known = reference.faces[0]
    same = max(found, key=known.overlap, default=None)
    # A face that is not found again has nothing to be compared by: an old embedding would not fit the others.
    embedding = None if same is None else same.compared
    return known.model_copy(update={"comparison_embedding": embedding})


def _renewed(photo: Photo, fresh: dict[str, Face]) -> Photo:
    if photo.reference is None or photo.reference.sha256 not in fresh:
        return photo
    return photo.model_copy(update={"face": fresh[photo.reference.sha256]})


async def _updated(job: Job, identity: Identity, change: dict[str, object]) -> Identity:
    updated = await asyncio.to_thread(
        job.tools.store.update_identity,
        identity.tenant,
        identity.id,
        lambda known: known.model_copy(update=change),
    )
    return updated or identity
