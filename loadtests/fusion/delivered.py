"""What a user gets: one portrait job through the orchestrator, with all its defaults."""

from typing import Any

from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import resources_pb2

from cli.client import LikenessClient, Photo
from loadtests.fusion.looks import Eye, References
from loadtests.fusion.people import Person
from loadtests.fusion.scale import SEED

_ENDED = (job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED)


def deliver(
    client: LikenessClient, eye: Eye, person: Person, references: References, style: str
) -> dict[str, Any]:
    """Makes portraits of a person with the orchestrator's defaults and judges those that it returns.

    The identity is deleted after. The first candidates have the seeds of the evaluation's own.
    """
    photos = [Photo(f"{sample.view}.jpg", sample.image.read_bytes()) for sample in person.references]
    identity = client.create_identity(photos, person.name)
    try:
        spec = resources_pb2.PortraitSpec(
            identity=identity.name,
            style=f"styles/{style}",
            seed=SEED,
            mode=resources_pb2.IDENTITY_MODE_TRAIN_FREE,
        )
        portrait = _wait(client, client.create_portrait(spec).name)
        winners = [candidate for candidate in portrait.candidates if candidate.is_winner]
        seen = [eye.reader.read_one(client.download(winner.artifact)) for winner in winners]
        return {
            "state": job_pb2.JobState.Name(portrait.state),
            "asked": portrait.spec.portrait_count,
            "candidates": len(portrait.candidates),
            "notices": list(portrait.notices),
            "error": portrait.error.reason,
            "looks": [eye.look(one, references).as_json() for one in seen],
            "undone": [
                f"{edit.step}: {edit.reason}"
                for candidate in portrait.candidates
                for edit in candidate.edits
                if not edit.is_kept
            ],
            "wall_s": (portrait.end_time.ToDatetime() - portrait.start_time.ToDatetime()).total_seconds(),
        }
    finally:
        client.delete_identity(identity.name)


def _wait(client: LikenessClient, name: str) -> resources_pb2.Portrait:
    for _ in client.watch_portrait(name):
        pass
    portrait = client.get_portrait(name)
    if portrait.state not in _ENDED:
        raise RuntimeError(f"the events of {name} ended before it did")
    return portrait
