"""What is done to a candidate after it was generated, step by step through the fusion service's stub."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import grpc
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from loadtests.common.services import CALL_TIMEOUT_S, Seen, Services
from loadtests.fusion.looks import Eye, Look, References
from services.orchestrator.domain.edits import Look as Measured
from services.orchestrator.domain.edits import Step, objection
from services.orchestrator.domain.styles import FusionStrength

_WARPS = {"posed": pb.WARP_POSED, "landmarks": pb.WARP_LANDMARKS, "similarity": pb.WARP_SIMILARITY}
# What is wrong with one picture, or a part of the service that is not installed; all else ends the run.
_REFUSALS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)


@dataclass(frozen=True)
class Done:
    """One step's outcome.

    Attributes:
        step: as `Step`.
        before, after: looks; `after` is None where the service refused.
        problem: why it was undone or refused; "" where it was kept.
        marks: number of marks placed, of RESTORE_MARKS.
    """

    step: str
    before: Look
    after: Look | None
    problem: str
    marks: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether the picture goes on with this step done."""
        return not self.problem


@dataclass
class Finished:
    """A candidate's way: `pictures` and `looks` by name, "candidate" first; `steps` as the product does them.

    The names: "candidate", "fused" (kept or not), "restored" and "enhanced" (what was kept up to there).
    """

    pictures: dict[str, Seen]
    looks: dict[str, Look]
    steps: list[Done] = field(default_factory=list)


class Chain:
    """Does to candidates of one person what a style asks for."""

    def __init__(
        self, services: Services, eye: Eye, strength: FusionStrength, references: References
    ) -> None:
        self._fusion, self._eye, self._strength = services.fusion, eye, strength
        self._references = references

    def finish(self, candidate: Seen) -> Finished:
        """Does every step, each undone where the orchestrator's rule undoes it."""
        found = Finished({}, {})
        picture, look = candidate, self._eye.look(candidate, self._references)
        found.pictures["candidate"], found.looks["candidate"] = picture, look
        work: list[tuple[Step, str, Callable[[Seen], tuple[bytes, int]]]] = [
            (Step.FUSE, "fused", self._fuse),
            (Step.RESTORE_TEXTURE, "", self._restore_texture),
            (Step.RESTORE_MARKS, "restored", self._restore_marks),
            (Step.ENHANCE, "enhanced", self._enhance),
        ]
        for step, name, act in work:
            done, tried = self._try(step, picture, look, act)
            found.steps.append(done)
            if done.is_kept and tried is not None and done.after is not None:
                picture, look = tried, done.after
            # Fusion is shown and measured by itself too, kept or not.
            raw = step is Step.FUSE and tried is not None and done.after is not None
            if name:
                found.pictures[name] = tried if raw and tried is not None else picture
                found.looks[name] = done.after if raw and done.after is not None else look
        found.pictures["finished"], found.looks["finished"] = picture, look
        return found

    def fuse_with(self, candidate: Seen, templates: Sequence[Seen], strength: FusionStrength) -> Seen:
        """Fuses with other photos or strengths than the style's. Raises: grpc.RpcError."""
        request = fuse_request(candidate, templates, strength)
        return self._eye.reader.read_one(self._fusion.Fuse(request, timeout=CALL_TIMEOUT_S).image.data)

    def _try(
        self, step: Step, picture: Seen, look: Look, act: Callable[[Seen], tuple[bytes, int]]
    ) -> tuple[Done, Seen | None]:
        if picture.only is None:
            return Done(step, look, None, "the picture does not show exactly one face"), None
        try:
            data, marks = act(picture)
        except grpc.RpcError as error:
            if error.code() not in _REFUSALS:
                raise
            return Done(step, look, None, f"refused: {error.details()}"), None
        tried = self._eye.reader.read_one(data)
        after = self._eye.look(tried, self._references)
        problem = objection(step, measured(look), measured(after), self._strength.keep)
        return Done(step, look, after, problem, marks), tried

    def _fuse(self, picture: Seen) -> tuple[bytes, int]:
        request = fuse_request(picture, self._references.photos, self._strength)
        return self._fusion.Fuse(request, timeout=CALL_TIMEOUT_S).image.data, 0

    def _restore_texture(self, picture: Seen) -> tuple[bytes, int]:
        request = pb.RestoreTextureRequest(
            candidate=picture.faced(),
            references=[photo.faced() for photo in self._references.photos],
            strength=self._strength.texture_strength,
        )
        return self._fusion.RestoreTexture(request, timeout=CALL_TIMEOUT_S).image.data, 0

    def _restore_marks(self, picture: Seen) -> tuple[bytes, int]:
        request = pb.RestoreMarksRequest(
            candidate=picture.faced(), references=[photo.faced() for photo in self._references.photos]
        )
        response = self._fusion.RestoreMarks(request, timeout=CALL_TIMEOUT_S)
        return response.image.data, len(response.marks)

    def _enhance(self, picture: Seen) -> tuple[bytes, int]:
        request = pb.EnhanceRequest(
            image=image_pb2.Image(data=picture.data), strength=self._strength.enhance_strength
        )
        return self._fusion.Enhance(request, timeout=CALL_TIMEOUT_S).image.data, 0


def fuse_request(candidate: Seen, templates: Sequence[Seen], strength: FusionStrength) -> pb.FuseRequest:
    """Returns the request that the orchestrator makes of a style."""
    return pb.FuseRequest(
        candidate=candidate.faced(),
        templates=[template.faced() for template in templates],
        strength=strength.strength,
        region_weights=pb.RegionWeights(**{str(region): value for region, value in strength.regions.items()}),
        warp=_WARPS[strength.warp],
    )


def five_points_only(seen: Seen) -> Seen:
    """Returns a picture as services knew it before they read structure: no dense landmarks, no part map."""
    faces = []
    for known in seen.faces:
        face = face_pb2.Face()
        face.CopyFrom(known)
        for name in ("dense_landmarks", "part_map"):
            face.ClearField(name)
        faces.append(face)
    return Seen(seen.data, tuple(faces))


def measured(look: Look) -> Measured:
    """Returns a look as the orchestrator's rule takes it: by the services' own embedder and quality net."""
    return Measured(look.own_best, look.judged)
