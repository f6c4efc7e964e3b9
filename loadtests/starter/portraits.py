"""Portraits: every person by every method from every prompt, the same seeds for all methods."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.common.drawing import Drawings
from loadtests.common.strangers import SEED
from loadtests.starter.looks import Eye, Look
from loadtests.starter.methods import Method, fill
from loadtests.starter.people import Person
from loadtests.starter.prompts import FIXED, Prompt
from loadtests.starter.scale import Scale
from services.orchestrator.domain.seeds import derive_seed


@dataclass(frozen=True)
class Slot:
    """What one portrait is of: method, prompt, and which of the pictures."""

    method: Method
    prompt: Prompt
    index: int


@dataclass(frozen=True, eq=False)
class Shot:
    """One portrait with what was read off it."""

    person: int
    slot: Slot
    file: Path
    look: Look


def slots_of(scale: Scale, *, is_trained: bool) -> Iterator[Slot]:
    """Yields what is drawn of a person; without an adapter the methods that need one are left out."""
    for method in scale.methods:
        if method.uses_adapter and not is_trained:
            continue
        for prompt in (FIXED, *scale.edits):
            for index in range(scale.image_count):
                yield Slot(method, prompt, index)


def seed_of(prompt: Prompt, index: int) -> int:
    """Returns the seed of a picture: the same for all people and methods."""
    return derive_seed(SEED, "eval-starter", prompt.name, index)


def request_of(
    slot: Slot, person: Person, model: str, adapter: image_pb2.ArtifactRef | None = None
) -> pb.GenerateRequest:
    """Returns the request of one portrait. Raises: ValueError if the method needs an adapter and has none."""
    request = pb.GenerateRequest(
        model=model, prompt=slot.prompt.text(person.character.who), seed=seed_of(slot.prompt, slot.index)
    )
    fill(request, slot.method)
    if slot.method.uses_tokens:
        request.identity.embeddings.extend(person.embeddings)
    if slot.method.uses_adapter:
        if adapter is None:
            raise ValueError(f"{slot.method.title} of person {person.number} needs an adapter")
        request.adapters.add(artifact=adapter, weight=1.0)
    return request


def portraits_of(
    person: Person,
    slots: Sequence[Slot],
    adapter: image_pb2.ArtifactRef | None,
    drawings: Drawings,
    eye: Eye,
    tell: Callable[[], None],
) -> list[Shot]:
    """Draws and reads the portraits of a person; *tell* is called after each new picture."""
    requests = [request_of(slot, person, drawings.model.name, adapter) for slot in slots]
    drawings.draw(requests, tell)
    files = [drawings.file(request) for request in requests]
    looks = eye.look([file.read_bytes() for file in files])
    return [
        Shot(person.number, slot, file, look) for slot, file, look in zip(slots, files, looks, strict=True)
    ]
