"""Finishing one candidate: step by step, each kept only where it does no harm."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.orchestrator.domain.edits import Edit, Look, PlacedMark, Step, look_at, objection
from services.orchestrator.domain.faces import AnalyzedPicture, Embedding, FacedPicture, Picture
from services.orchestrator.engine.stages.job import Job
from services.orchestrator.engine.stages.steps import Done, Performer

# Steps that are measured together. An analysis costs more than all steps, so the two that change little share
# one, and are measured apart only where together they did harm. Fusion stands alone: the others then work on
# the landmarks of the fused face.
TRIALS: tuple[tuple[Step, ...], ...] = (
    (Step.FUSE,),
    (Step.RESTORE_TEXTURE, Step.RESTORE_MARKS),
    (Step.ENHANCE,),
    (Step.UPSCALE,),
)


@dataclass(frozen=True)
class Shown:
    """A candidate as it is now: its picture with what was found in it, and what was done so far."""

    picture: Picture
    analyzed: AnalyzedPicture
    look: Look
    edits: tuple[Edit, ...] = ()
    marks: tuple[PlacedMark, ...] = ()

    @property
    def faced(self) -> FacedPicture:
        """The picture with its faces."""
        return FacedPicture(self.picture, self.analyzed.faces)


class Finisher:
    """Finishes the candidates of one portrait."""

    def __init__(
        self,
        job: Job,
        performer: Performer,
        steps: Sequence[Step],
        references: Sequence[Embedding],
        upscale: int,
    ) -> None:
        """``references`` are the comparison embeddings that a picture's likeness is measured by."""
        self._job = job
        self._performer = performer
        self._steps = steps
        self._references = references
        self._upscale = upscale

    async def finish(self, picture: Picture, analyzed: AnalyzedPicture) -> Shown:
        """Do all wanted steps to a candidate with one face; one without a face is only enlarged.

        Raises:
            LikenessError: As `Performer.perform`.
        """
        shown = Shown(picture, analyzed, look_at(analyzed, self._references))
        wanted = self._steps if analyzed.faces else [step for step in self._steps if step is Step.UPSCALE]
        for trial in TRIALS:
            steps = [step for step in trial if step in wanted]
            if steps:
                shown = await self._try(shown, steps)
        # Steps that had nothing to do were noted before those that were measured.
        order = list(Step)
        return replace(shown, edits=tuple(sorted(shown.edits, key=lambda edit: order.index(edit.step))))

    async def _try(self, shown: Shown, steps: Sequence[Step]) -> Shown:
        """Do steps one on the other, and keep them all, or those that do no harm on their own."""
        faced, done = shown.faced, dict[Step, Done]()
        for step in steps:
            done[step] = await self._performer.perform(step, faced)
            if (data := done[step].data) is not None:
                # None of them moves the face, so what was found before still holds.
                faced = FacedPicture(Picture(data, shown.picture.name), shown.analyzed.faces)
        changed = [step for step in steps if done[step].data is not None]
        left = [
            Edit(step=step, is_kept=False, reason=done[step].reason, detail=done[step].detail)
            for step in steps
            if step not in changed
        ]
        shown = replace(shown, edits=(*shown.edits, *left))
        if not changed:
            return shown
        return await self._judge(shown, changed, done, faced.picture)

    async def _judge(
        self, shown: Shown, changed: Sequence[Step], done: dict[Step, Done], picture: Picture
    ) -> Shown:
        [analyzed] = await self._job.faces.candidates([picture])
        after = look_at(analyzed, self._references)
        rules = self._job.style.fusion.keep
        reasons = [objection(step, shown.look, after, rules) for step in changed]
        reason = next(filter(None, reasons), "")
        if reason and len(changed) > 1:
            for step in changed:
                shown = await self._try(shown, [step])
            return shown
        *first, last = [
            Edit(step=step, is_kept=not reason, reason=reason, detail=done[step].detail) for step in changed
        ]
        # Of steps that were measured together the last one tells what all of them did.
        edits = (*shown.edits, *first, last.measured(shown.look, after))
        if reason:
            return await self._undone(replace(shown, edits=edits), changed[0])
        marks = shown.marks + tuple(mark for step in changed for mark in done[step].marks)
        if Step.UPSCALE in changed:
            marks = self._enlarged(marks)
        return Shown(picture, analyzed, after, edits, marks)

    async def _undone(self, shown: Shown, step: Step) -> Shown:
        """Return the candidate without the step; one that is to be larger is made so without a net."""
        if step is not Step.UPSCALE:
            return shown
        data = await asyncio.to_thread(self._job.tools.pictures.enlarge, shown.picture.data, self._upscale)
        *before, last = shown.edits
        last = last.model_copy(update={"detail": f"{last.detail}; enlarged by interpolation instead"})
        picture = Picture(data, shown.picture.name)
        return replace(shown, picture=picture, edits=(*before, last), marks=self._enlarged(shown.marks))

    def _enlarged(self, marks: Sequence[PlacedMark]) -> tuple[PlacedMark, ...]:
        return tuple(mark.scaled(self._upscale) for mark in marks)
