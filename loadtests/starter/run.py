"""One run: characters, adapters, portraits, figures, report."""

from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

import grpc
from likeness.common.v1 import image_pb2

from loadtests.common.drawing import Drawings, default_model
from loadtests.common.intervals import estimate
from loadtests.common.judge import open_judge
from loadtests.common.progress import Progress
from loadtests.common.renders import Photos
from loadtests.common.services import Reader, Services
from loadtests.common.sheets import Sheet
from loadtests.starter import figures, report, sheets
from loadtests.starter.changes import frechet_floor
from loadtests.starter.looks import Eye
from loadtests.starter.measured import Measured
from loadtests.starter.measures.distances import COMPONENTS, FeatureSpace
from loadtests.starter.measures.reconstruction import Reconstructions, reconstruct
from loadtests.starter.measures.structure import card, landmark_errors
from loadtests.starter.nets import open_features, open_scene, parser_digest, readers_digest
from loadtests.starter.people import Character, Person, characters_of, person_of
from loadtests.starter.photographs import Section, Shown, photographs_of
from loadtests.starter.portraits import Shot, portraits_of, request_of, slots_of
from loadtests.starter.prompts import FIXED
from loadtests.starter.scale import Scale
from loadtests.starter.training import Steps, train
from shared.reports import REPORTS_FOLDER

FOLDER = REPORTS_FOLDER / report.NAME
_RENDERS_OF_EACH = 2


class Run:
    """An evaluation of one scale.

    Args:
        scale: how much.
        services: the services under test.
        judge_folder: of the held-out embedder; None = the pack's.
        command: what a reader types to get it again.
    """

    def __init__(self, scale: Scale, services: Services, judge_folder: Path | None, command: str) -> None:
        self._scale, self._services, self._command = scale, services, command
        own = scale.weights / "embedder"
        self._judge = open_judge(judge_folder or (own if (own / "embedder.onnx").is_file() else None))
        scene, features = open_scene(scale.weights), open_features(scale.weights)
        readers = readers_digest(scale.weights, judge_folder)
        self._eye = Eye(Reader(services), self._judge, scene, features, scale.work / "looks", readers)
        parser = parser_digest(scale.weights)
        self._drawings = Drawings(services, scale.work / "pictures", default_model(services), parser)
        self._everybody: list[Character] = []
        self._left_out: list[int] = []
        self._failed: dict[str, str] = {}
        self._shots: list[Shot] = []
        self._shown: list[Shown] = []
        self._reconstructions = Reconstructions()

    def go(self, photos: Photos) -> Path:
        """Draws and reads what is not on disk yet and writes the report, also of a part after Ctrl-C.

        Returns: the page. Raises: ValueError: stopped before the first person was done.
        """
        rmtree(FOLDER, ignore_errors=True)
        is_partial = False
        try:
            people = self._people(photos)
            self._portraits(people)
            self._pack()
            self._photographs()
        except KeyboardInterrupt:
            is_partial = True
        if not self._shots:
            raise ValueError("Stopped before the first person was done; pictures that were made are kept.")
        if is_partial:
            print("Stopped: a report of what was done. The same command goes on from here.", flush=True)
        return self._report(is_partial)

    def _people(self, photos: Photos) -> list[Person]:
        progress = Progress("reading photos", len(photos), every=6)
        for character in characters_of(photos, self._eye, self._scale):
            self._everybody.append(character)
            progress.advance()
        people: list[Person] = []
        for character in self._everybody:
            if len(people) == self._scale.people:
                break
            person = person_of(character, self._services)
            if person is None:
                self._left_out.append(character.number)
            else:
                people.append(person)
        return people

    def _adapters(self, people: list[Person]) -> Mapping[int, image_pb2.ArtifactRef]:
        """Trains the first few people's adapters; one that fails is named, and does not end the run."""
        found = {}
        wanted = any(method.uses_adapter for method in self._scale.methods)
        for person in people[: self._scale.trained if wanted else 0]:
            steps = Steps(f"training an adapter of person {person.number}")
            try:
                found[person.number] = train(self._services, person, self._drawings.model.digest, steps)
            except (RuntimeError, grpc.RpcError) as error:
                self._failed[f"the adapter of person {person.number}"] = _words(error)
        return found

    def _portraits(self, people: list[Person]) -> None:
        adapters = self._adapters(people)
        slots = {p.number: list(slots_of(self._scale, is_trained=p.number in adapters)) for p in people}
        progress = Progress("portraits", sum(map(len, slots.values())), every=20)
        for person in people:
            own, adapter = slots[person.number], adapters.get(person.number)
            requests = [request_of(slot, person, self._drawings.model.name, adapter) for slot in own]
            progress.skip(len(requests) - len(self._drawings.missing(requests)))
            self._shots += portraits_of(
                person, own, adapter, self._drawings, self._eye, lambda: progress.advance()
            )

    def _pack(self) -> None:
        samples = [sample for one in self._everybody for sample in one.samples[:_RENDERS_OF_EACH]]
        self._reconstructions = reconstruct(self._scale.weights / "vae", samples)

    def _photographs(self) -> None:
        renders = [look for one in self._everybody for look in one.looks]
        section = Section(self._services, self._drawings, self._eye, self._scale, renders, FOLDER)
        for photograph in photographs_of(self._scale.photos):
            print(f"portraits of the photograph of {photograph.name}", flush=True)
            self._shown.append(section.show(photograph))

    def _report(self, is_partial: bool) -> Path:
        readable = frozenset(name for one in self._everybody for look in one.looks for name in look.words)
        measured = Measured(tuple(self._everybody), tuple(self._shots), readable)
        first, rest = self._sheets(measured)
        page = report.write(self._command, self._details(measured, is_partial), first, rest)
        print(f"look at {page}", flush=True)
        return page

    def _sheets(self, measured: Measured) -> tuple[list[Sheet], list[Sheet]]:
        methods = [method for method in self._scale.methods if measured.of(method)]
        first = sheets.grids(measured, methods, (FIXED, *self._scale.edits), FOLDER)
        first += sheets.photographs(self._shown, FOLDER)
        rest = sheets.likenesses(measured, methods, FOLDER) + sheets.worst(measured, methods, FOLDER)
        return first, rest + sheets.reconstructions(self._reconstructions, FOLDER)

    def _details(self, measured: Measured, is_partial: bool) -> dict[str, Any]:
        scale, space = self._scale, FeatureSpace(measured.renders())
        asked = {name for prompt in scale.edits for name in prompt.expected}
        samples = [sample for one in self._everybody for sample in one.samples]
        looks = [look for one in self._everybody for look in one.looks]
        parser = card(scale.weights, "parser")
        return {
            "judge": {"name": self._judge.name, "takes_part": self._judge.takes_part},
            "model": {"name": self._drawings.model.name, "digest": self._drawings.model.digest},
            "features": self._eye.features.name,
            "components": COMPONENTS,
            "characters": len(self._everybody),
            "references": scale.reference_count,
            "prompts": 1 + len(scale.edits),
            "images": scale.image_count,
            "is_partial": is_partial,
            "left_out": self._left_out,
            "failed": self._failed,
            "unreadable": sorted(asked - measured.readable),
            "methods": {
                method.key: figures.method_figures(measured, method, space)
                for method in scale.methods
                if measured.of(method)
            },
            "ceiling": figures.ceiling(measured),
            "reading": figures.reading_accuracy(measured),
            "frechet_floor": frechet_floor(measured, space),
            "pack": {
                "psnr_db": self._reconstructions.figures(),
                "landmarks_percent": estimate(landmark_errors(samples, looks)),
                "parser_mean_iou": None if parser is None else parser["iou"]["mean"],
            },
            "photographs": [shown.as_json() for shown in self._shown],
        }


def _words(error: Exception) -> str:
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name}: {error.details()}"
    return str(error)
