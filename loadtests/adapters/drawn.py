"""Portraits of people for an experiment, with what was read off them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.common.drawing import Drawings, default_model
from loadtests.common.intervals import estimate
from loadtests.common.judge import Floats, open_judge
from loadtests.common.progress import Progress
from loadtests.common.renders import Photos
from loadtests.common.services import Reader, Services
from loadtests.starter.looks import Eye, Look
from loadtests.starter.measures.adherence import Asked, adherence, differences, together
from loadtests.starter.nets import open_features, open_scene, parser_digest, readers_digest
from loadtests.starter.people import Person, characters_of, person_of
from loadtests.starter.portraits import seed_of
from loadtests.starter.prompts import FIXED, Prompt
from loadtests.starter.scale import Scale

Values = dict[int, list[float]]
Figure = dict[str, float | int] | None


@dataclass(frozen=True, eq=False)
class Drawn:
    """One portrait: of whom, from which prompt, and what was read off it."""

    person: int
    prompt: Prompt
    index: int
    file: Path
    look: Look


@dataclass(frozen=True)
class Kept:
    """What a set of portraits keeps of people and prompts.

    Attributes:
        detected: 1 for a portrait with a face, by person.
        likeness: cosine to the person's template, by person; a portrait without a face has -1.
        adherence: 1 for a word of the prompt that is read off the portrait, by person.
    """

    detected: Values
    likeness: Values
    adherence: Values

    def figures(self) -> dict[str, Figure]:
        """Returns each as a figure with its interval."""
        return {name: estimate(values) for name, values in vars(self).items()}

    def over(self, other: "Kept") -> dict[str, Figure]:
        """Returns by how much this one is better, person by person; in points of 100 where shares are."""
        return {
            "likeness": estimate(
                {
                    person: [sum(values) / len(values) - sum(other.likeness[person]) / len(values)]
                    for person, values in self.likeness.items()
                    if len(other.likeness.get(person, ())) == len(values)
                }
            ),
            "adherence": estimate(differences(self.adherence, other.adherence)),
        }


class Bench:
    """Draws people by requests that an experiment fills, and reads the portraits.

    Args:
        scale: how much, and where things are kept.
        services: the services under test.
    """

    def __init__(self, scale: Scale, services: Services) -> None:
        self.scale, self.services = scale, services
        own = scale.weights / "embedder"
        judge = open_judge(own if (own / "embedder.onnx").is_file() else None)
        scene, features = open_scene(scale.weights), open_features(scale.weights)
        readers = readers_digest(scale.weights)
        self.eye = Eye(Reader(services), judge, scene, features, scale.work / "looks", readers)
        parser = parser_digest(scale.weights)
        self.drawings = Drawings(services, scale.work / "pictures", default_model(services), parser)
        self.readable: set[str] = set()

    def people(self, photos: Photos) -> list[Person]:
        """Returns the first people whose references are fit to use. Raises: ValueError: there are none."""
        progress = Progress("reading photos", len(photos))
        found: list[Person] = []
        for character in characters_of(photos, self.eye, self.scale):
            person = person_of(character, self.services)
            self.readable |= {name for look in character.looks for name in look.words}
            progress.advance()
            if person is not None and len(found) < self.scale.people:
                found.append(person)
        if not found:
            raise ValueError("no photo of any person is fit to use")
        return found

    def request(self, person: Person, prompt: Prompt, index: int) -> pb.GenerateRequest:
        """Returns a request with model, prompt, seed and person set."""
        request = pb.GenerateRequest(
            model=self.drawings.model.name,
            prompt=prompt.text(person.character.who),
            seed=seed_of(prompt, index),
        )
        request.identity.embeddings.extend(person.embeddings)
        return request

    def draw(
        self, people: Sequence[Person], fill: Callable[[pb.GenerateRequest, Person], None]
    ) -> list[Drawn]:
        """Returns every person's portraits from every prompt; *fill* completes a request."""
        drawn = []
        for person in people:
            wanted = [
                (prompt, index)
                for prompt in (FIXED, *self.scale.edits)
                for index in range(self.scale.image_count)
            ]
            requests = [self.request(person, prompt, index) for prompt, index in wanted]
            for request in requests:
                fill(request, person)
            self.drawings.draw(requests)
            files = [self.drawings.file(request) for request in requests]
            looks = self.eye.look([file.read_bytes() for file in files])
            drawn += [
                Drawn(person.number, prompt, index, file, look)
                for (prompt, index), file, look in zip(wanted, files, looks, strict=True)
            ]
        return drawn

    def kept(self, drawn: Sequence[Drawn], templates: Mapping[int, Floats]) -> Kept:
        """Returns what portraits keep; likeness is measured on the fixed prompt, as everybody does."""
        return kept(drawn, templates, self.readable)


def kept(drawn: Sequence[Drawn], templates: Mapping[int, Floats], readable: set[str]) -> Kept:
    """See `Bench.kept`; *templates* are unit vectors by person."""
    detected: Values = {}
    likeness: Values = {}
    for one in drawn:
        detected.setdefault(one.person, []).append(float(one.look.faces > 0))
        if one.prompt == FIXED:
            vector = one.look.vector
            cosine = -1.0 if vector is None else float(vector @ templates[one.person])
            likeness.setdefault(one.person, []).append(cosine)
    asked = (Asked(one.person, one.prompt.expected, one.look) for one in drawn)
    return Kept(detected, likeness, together(adherence(asked, readable)))
