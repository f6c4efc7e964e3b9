"""The live display of a portrait: stages, steps, ETA, and candidates as they come."""

from collections.abc import Iterable
from typing import Any

from google.protobuf import duration_pb2
from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as api
from likeness.orchestrator.v1 import resources_pb2
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.edits import summary

ENDED = (job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED)
STAGES = [stage for stage in resources_pb2.Stage.values() if stage != resources_pb2.STAGE_UNSPECIFIED]
REFRESH_HZ = 8


def stage_name(stage: int) -> str:
    """Returns a stage's word, such as "generate"."""
    return resources_pb2.Stage.Name(stage).removeprefix("STAGE_").lower()


def seconds(duration: duration_pb2.Duration) -> float:
    """Returns a protobuf duration in seconds."""
    return float(duration.seconds) + float(duration.nanos) * 1e-9


def follow(events: Iterable[api.PortraitEvent], console: Console) -> resources_pb2.Portrait:
    """Shows a portrait's events until it ends; returns its last state.

    On a terminal that cannot redraw (a pipe, CI) it prints one line per stage and candidate.
    """
    view = PortraitView(console)
    with Live(view, console=console, refresh_per_second=REFRESH_HZ, transient=False) as live:
        for event in events:
            view.apply(event)
            if console.is_terminal:
                live.update(view)
    if not console.is_terminal:
        console.print()  # Live leaves the cursor behind its last line there.
    return view.portrait


class PortraitView:
    """What is known of a running portrait, as something rich can draw."""

    def __init__(self, console: Console) -> None:
        self.portrait = resources_pb2.Portrait()
        self._console = console
        self._candidates: dict[str, resources_pb2.Candidate] = {}
        self._stage_seen = resources_pb2.STAGE_UNSPECIFIED
        self._bars = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=32),
            TextColumn("{task.completed:>4.0f}/{task.total:<4.0f}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}"),
            console=console,
        )
        self._tasks: dict[int, TaskID] = {}

    def apply(self, event: api.PortraitEvent) -> None:
        """Takes in one event; unknown and repeated events do no harm."""
        kind = event.WhichOneof("event")
        if kind == "portrait":
            self._apply_portrait(event.portrait)
        elif kind == "step":
            self._apply_step(event.step)
        elif kind == "candidate":
            self._apply_candidate(event.candidate)

    def _apply_portrait(self, portrait: resources_pb2.Portrait) -> None:
        self.portrait = portrait
        if portrait.stage != self._stage_seen:
            self._stage_seen = portrait.stage
            self._note(f"stage {stage_name(portrait.stage)}")
        for stage in STAGES:
            is_done = portrait.state == job_pb2.JOB_STATE_SUCCEEDED or stage < portrait.stage
            if is_done and stage in self._tasks:
                self._finish(self._tasks[stage])
            elif stage == portrait.stage and stage not in self._tasks and portrait.state not in ENDED:
                self._task(stage)
        for candidate in portrait.candidates:
            self._candidates[candidate.candidate_id] = candidate

    def _apply_step(self, step: api.StepProgress) -> None:
        task = self._task(step.stage)
        words = [step.candidate_id, step.detail]
        self._bars.update(
            task,
            total=max(step.step_count, 1),
            completed=step.steps_done,
            detail=escape(" ".join(word for word in words if word)),
        )

    def _apply_candidate(self, news: api.CandidateProgress) -> None:
        self._candidates[news.candidate.candidate_id] = news.candidate
        self._note(f"{news.candidate.candidate_id}: {verdict(news.candidate)} ({stage_name(news.stage)})")

    def _task(self, stage: int) -> TaskID:
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage_name(stage), total=1, detail="")
        return self._tasks[stage]

    def _finish(self, task: TaskID) -> None:
        total = next(known.total for known in self._bars.tasks if known.id == task)
        self._bars.update(task, completed=total, detail="")
        self._bars.stop_task(task)

    def _note(self, text: str) -> None:
        """Says something where the display cannot be redrawn."""
        if not self._console.is_terminal:
            self._console.print(escape(text))

    def __rich__(self) -> Group:
        parts: list[Any] = [self._bars]
        if self.portrait.HasField("remaining_time") and self.portrait.state not in ENDED:
            parts.append(f"[dim]about {seconds(self.portrait.remaining_time):.0f} s to go[/]")
        if self._candidates:
            parts.append(candidate_table(self._candidates.values()))
        return Group(*parts)


def verdict(candidate: resources_pb2.Candidate) -> str:
    """Returns what became of a candidate, in a few words."""
    if candidate.HasField("rejection"):
        return f"rejected: {candidate.rejection.reason}"
    if candidate.is_winner:
        return f"winner {candidate.rank}"
    return f"rank {candidate.rank}" if candidate.rank else "made"


def candidate_table(candidates: Iterable[resources_pb2.Candidate]) -> Table:
    """Returns the candidates as a table: similarity, score, verdict, and what was done to each."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("candidate", "similarity", "score", "verdict", "edits"):
        table.add_column(heading, justify="right" if heading in ("similarity", "score") else "left")
    for candidate in sorted(candidates, key=lambda known: (known.rank == 0, known.rank, known.candidate_id)):
        color = "green" if candidate.is_winner else "red" if candidate.HasField("rejection") else "default"
        known = candidate.best_similarity != 0
        table.add_row(
            candidate.candidate_id,
            f"{candidate.best_similarity:.3f}" if known else "",
            f"{candidate.score:.3f}" if known else "",
            f"[{color}]{verdict(candidate)}[/]",
            f"[dim]{escape(summary(candidate))}[/]",
        )
    return table
