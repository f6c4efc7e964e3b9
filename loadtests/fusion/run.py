"""One run: people in turn, then what compares all of them, then the report."""

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import grpc

from loadtests.common.judge import open_judge
from loadtests.common.progress import Progress
from loadtests.common.renders import Photos
from loadtests.common.services import Reader, Services
from loadtests.common.sheets import Sheet
from loadtests.fusion import gate, marks, pictures, report
from loadtests.fusion.candidates import Generator
from loadtests.fusion.figures import (
    Results,
    delivered_figures,
    enhance_figures,
    fusion_figures,
    restore_figures,
)
from loadtests.fusion.looks import Eye
from loadtests.fusion.people import Person, choose, photos_of
from loadtests.fusion.person import Evaluation, known_results, setup_of
from loadtests.fusion.rank_figures import rank_figures
from loadtests.fusion.scale import Scale
from services.orchestrator.domain.styles import Style
from shared.reports import REPORTS_FOLDER


class Run:
    """An evaluation of one scale and style.

    Args:
        scale: how much.
        style: whose prompt and strengths are used.
        judge_folder: of the held-out embedder; None = the starter pack's.
        command: what a reader types to get it again.
        is_resumed: whether the results of people that are done are kept.
    """

    def __init__(
        self, scale: Scale, style: Style, judge_folder: Path | None, command: str, *, is_resumed: bool
    ) -> None:
        self._scale, self._style, self._command = scale, style, command
        self._judge = open_judge(judge_folder)
        if not is_resumed:
            rmtree(scale.work / "people", ignore_errors=True)

    def photos(self, workers: int) -> Photos:
        """Returns everybody's photos, drawn where they are not on disk."""
        return photos_of(self._scale, workers)

    def go(self, services: Services, photos: Photos, *, only_prepare: bool) -> None:
        """Measures everything that is not known yet and writes the report, also of a part after Ctrl-C."""
        people = choose(photos, services, self._scale)
        if only_prepare:
            self._prepare(services, people)
            return
        eye = Eye(Reader(services), self._judge)
        details: dict[str, Any] = {}
        # Sections draw into it, so it is emptied before them.
        rmtree(REPORTS_FOLDER / "eval-fusion", ignore_errors=True)
        try:
            self._measure_people(services, eye, people)
            self._compare(services, eye, people, details)
        except KeyboardInterrupt:
            print("Stopped; the report has what was measured so far. --resume goes on from here.", flush=True)
        results = self._known(eye, people)
        if not results:
            raise ValueError("Stopped before the first person was done; pictures that were made are kept.")
        self._report(results, details, eye.reader)

    def _prepare(self, services: Services, people: list[Person]) -> None:
        generator = Generator(services, self._scale, self._style)
        progress = Progress("generating", len(people))
        for person in people:
            generator.make(person)
            progress.advance(person.name)

    def _measure_people(self, services: Services, eye: Eye, people: list[Person]) -> None:
        known = self._known(eye, people)
        delivered_to = [person.number for person in people[: self._scale.delivered_count]]
        evaluation = Evaluation(services, eye, self._scale, self._style, delivered_to)
        progress = Progress("measuring people", len(people), len(known))
        for person in people:
            if person.number not in known:
                evaluation.run(person)
                progress.advance(person.name)

    def _known(self, eye: Eye, people: list[Person]) -> dict[int, dict[str, Any]]:
        setup = setup_of(eye, self._scale, self._style)
        return known_results(self._scale, [person.number for person in people], setup)

    def _compare(self, services: Services, eye: Eye, people: list[Person], details: dict[str, Any]) -> None:
        """Adds the sections that look at everybody at once; one that fails does not take the others along."""
        numbers = [person.number for person in people]
        sections: dict[str, Callable[[], dict[str, Any]]] = {
            "gate": lambda: gate.measure(services, self._scale, numbers),
            "marks": lambda: marks.measure(people, services, eye.reader, work=self._scale.work / "marks"),
        }
        for name, measure in sections.items():
            print(f"measuring {name}", flush=True)
            try:
                details[name] = measure()
            except grpc.RpcError as error:
                details.setdefault("failed", {})[name] = f"{error.code().name}: {error.details()}"
                print(f"{name} failed: {details['failed'][name]}", flush=True)

    def _report(self, results: Results, details: dict[str, Any], reader: Reader) -> None:
        folder = REPORTS_FOLDER / "eval-fusion"
        sheets = pictures.draw(results, self._scale, folder)
        marked = (details.get("marks") or {}).get("sheets", [])
        sheets += [Sheet(Path(one["file"]), one["caption"]) for one in marked]
        has_judged = any(
            row["looks"]["candidate"]["judged"] is not None
            for r in results.values()
            for row in r["candidates"]
        )
        details = {
            "judge": {"name": self._judge.name, "takes_part": self._judge.takes_part},
            "has_judged_quality": has_judged,
            "people": len(results),
            "references": self._scale.reference_count,
            "candidates": self._scale.candidate_count,
            "style": self._style.name,
            "models": {model.purpose: model.name for model in reader.backend.models if model.is_available},
            "fusion": fusion_figures(results),
            "restore": restore_figures(results),
            "rank": rank_figures(results),
            "enhance": enhance_figures(results),
            "delivered": delivered_figures(results),
            **details,
        }
        page = report.write(self._command, details, sheets)
        print(f"look at {page}", flush=True)
