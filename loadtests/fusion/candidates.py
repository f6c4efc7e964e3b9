"""Portraits without training, as the orchestrator asks the diffusion service for them; kept on disk."""

from collections.abc import Sequence
from dataclasses import dataclass

from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb

from loadtests.common.drawing import Drawings, default_model
from loadtests.common.services import CALL_TIMEOUT_S, Services
from loadtests.fusion.people import Person
from loadtests.fusion.scale import SEED, Scale
from loadtests.starter.nets import parser_digest
from loadtests.starter.scale import WEIGHTS
from services.orchestrator.domain.prompts import MIN_ATTRIBUTE_CONFIDENCE, build_prompt
from services.orchestrator.domain.seeds import candidate_seed
from services.orchestrator.domain.styles import Style


@dataclass(frozen=True)
class Candidate:
    """A generated portrait: its number, seed and PNG."""

    index: int
    seed: int
    data: bytes


@dataclass(frozen=True)
class Made:
    """The candidates of a person in order of their index, and the prompt that all share."""

    prompt: str
    candidates: tuple[Candidate, ...]


class Generator:
    """Generates candidates, or takes them from disk where model, parser, request and seed are the same."""

    def __init__(self, services: Services, scale: Scale, style: Style) -> None:
        self._services, self._scale, self._style = services, scale, style
        model, parser = default_model(services), parser_digest(WEIGHTS)
        self._drawings = Drawings(services, scale.work / "candidates", model, parser)

    def make(self, person: Person) -> Made:
        """Returns the candidates of a person."""
        requests = self.requests(person)
        self._drawings.draw(requests)
        candidates = [
            Candidate(index, request.seed, self._drawings.file(request).read_bytes())
            for index, request in enumerate(requests)
        ]
        return Made(requests[0].prompt, tuple(candidates))

    def requests(self, person: Person) -> list[pb.GenerateRequest]:
        """Returns one request for each candidate."""
        photos = [image_pb2.Image(data=sample.image.read_bytes()) for sample in person.references]
        request = analysis_pb.CuratePhotosRequest(photos=photos)
        curated = self._services.faces.CuratePhotos(request, timeout=CALL_TIMEOUT_S)
        faces = [photo.face for photo in curated.photos if photo.is_accepted]
        attributes = {
            item.name: item.value
            for item in curated.attributes
            if item.confidence >= MIN_ATTRIBUTE_CONFIDENCE
        }
        prompt = build_prompt(self._style.prompt, attributes)
        return [
            self._request(prompt, [face.embedding for face in faces], candidate_seed(SEED, index))
            for index in range(self._scale.candidate_count)
        ]

    def _request(
        self, prompt: str, embeddings: Sequence[image_pb2.Embedding], seed: int
    ) -> pb.GenerateRequest:
        style = self._style
        request = pb.GenerateRequest(
            model=self._drawings.model.name,
            prompt=prompt,
            negative_prompt=style.negative_prompt,
            step_count=style.step_count,
            guidance_scale=style.guidance_scale,
            sampler=style.sampler,
            seed=seed,
            identity=pb.IdentityConditioning(embeddings=embeddings, scale=style.identity.token_scale),
        )
        for adapter in style.adapters:
            request.adapters.add(name=adapter.name, weight=adapter.weight)
        if style.identity.guidance_scale is not None:
            request.identity_guidance_scale = style.identity.guidance_scale
        if style.identity.late_from is not None:
            request.late_injection.start_share = style.identity.late_from
        return request
