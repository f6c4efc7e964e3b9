"""The steps of FUSE, one call of the fusion service each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.orchestrator.domain.edits import PlacedMark, Step
from services.orchestrator.domain.faces import FacedPicture
from services.orchestrator.domain.fusion_port import FuseOptions
from services.orchestrator.engine.stages.job import Job
from shared.errors import ErrorReason, LikenessError

# A candidate is no worse without them, so what is the matter is noted and the work goes on.
_OPTIONAL = (Step.RESTORE_TEXTURE, Step.RESTORE_MARKS, Step.ENHANCE)


@dataclass(frozen=True)
class Done:
    """What a step did: the new picture, PNG, or None and the reason where nothing was changed."""

    data: bytes | None
    detail: str = ""
    reason: str = ""
    marks: tuple[PlacedMark, ...] = ()


class Performer:
    """Does steps for one portrait."""

    def __init__(self, job: Job, references: Sequence[FacedPicture], upscale: int) -> None:
        """``references`` with what is known of their faces, the template face first."""
        self._job = job
        self._references = references
        self._upscale = upscale

    async def perform(self, step: Step, candidate: FacedPicture) -> Done:
        """Do a step to a candidate with one face.

        Raises:
            LikenessError: The fusion service failed, or refused a step that a portrait cannot do without.
        """
        work = {
            Step.FUSE: self._fuse,
            Step.RESTORE_TEXTURE: self._restore_texture,
            Step.RESTORE_MARKS: self._restore_marks,
            Step.ENHANCE: self._enhance,
            Step.UPSCALE: self._enlarge,
        }
        try:
            return await work[step](candidate)
        except LikenessError as error:
            is_own = error.status == "INVALID_ARGUMENT" or error.reason == ErrorReason.CAPABILITY_UNAVAILABLE
            if step not in _OPTIONAL or not is_own:
                raise
            return Done(None, reason=error.message)

    async def _fuse(self, candidate: FacedPicture) -> Done:
        style = self._job.style.fusion
        regions = {str(region): weight for region, weight in style.regions.items()}
        options = FuseOptions(style.strength, regions, style.warp)
        fused = await self._job.tools.fusion.fuse(candidate, self._references, options, self._job.caller)
        template = self._references[fused.template_index].picture.name
        fit = f"pose fit {fused.pose_similarity:.2f}, expression fit {fused.expression_similarity:.2f}"
        by = f" by {fused.backend}" if fused.backend else ""
        return Done(fused.data, f"{template} at {style.strength:g}{by}, {fused.warp} warp, {fit}")

    async def _restore_texture(self, candidate: FacedPicture) -> Done:
        if candidate.faces[0].structure is None:
            return Done(None, reason="no net for the structure of faces is installed")
        strength = self._job.style.fusion.texture_strength
        textured = await self._job.tools.fusion.restore_texture(
            candidate, self._references, strength, self._job.caller
        )
        if textured.strength == 0:
            return Done(None, reason="the references show no texture to bring back")
        template = self._references[textured.reference_index].picture.name
        contrast = f"{textured.added_contrast:.1f} levels of lightness added"
        return Done(textured.data, f"{template} at {textured.strength:.2g}, {contrast}")

    async def _restore_marks(self, candidate: FacedPicture) -> Done:
        marked = await self._job.tools.fusion.restore_marks(candidate, self._references, self._job.caller)
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(marked.skipped).items())
        skipped = f"not placed: {reasons}" if reasons else ""
        if not marked.marks:
            return Done(None, reason=skipped or "the references show no mark that recurs")
        kinds = Counter(mark.kind for mark in marked.marks)
        placed = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.items())
        return Done(marked.data, "; ".join(filter(None, [placed, skipped])), marks=marked.marks)

    async def _enhance(self, candidate: FacedPicture) -> Done:
        strength = self._job.style.fusion.enhance_strength
        made = await self._job.tools.fusion.enhance(candidate.picture, 1, strength, self._job.caller)
        return Done(made.data, f"{made.enhancer} at {strength:g}".strip())

    async def _enlarge(self, candidate: FacedPicture) -> Done:
        # Strength 0: the picture was enhanced before, or was not to be.
        made = await self._job.tools.fusion.enhance(candidate.picture, self._upscale, 0.0, self._job.caller)
        return Done(made.data, f"{made.upscaler} x{self._upscale}".strip())
