"""Everything that is measured of one person; the unit of work that a broken run does not lose."""

import json
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from likeness.common.v1 import face_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb

from cli.client import LikenessClient
from loadtests.common.services import Seen, Services
from loadtests.fusion.candidates import Generator
from loadtests.fusion.chain import Chain, Done, Finished
from loadtests.fusion.delivered import deliver
from loadtests.fusion.enhancing import degraded_figures, upscaled_look
from loadtests.fusion.looks import Eye, Look, References, known
from loadtests.fusion.peers import five_points, one_template
from loadtests.fusion.people import Person
from loadtests.fusion.ranking import rankings
from loadtests.fusion.scale import Scale
from services.orchestrator.domain.styles import Style
from shared.images import decode_image, encode_jpeg

# Both cores: one candidate is analysed while another one is fused.
_IN_FLIGHT = 2
_SHOWN = ("candidate", "fused", "restored", "enhanced")


class Evaluation:
    """Evaluates people, one after the other, and leaves each one's result on disk.

    Args:
        services: the services under test.
        eye: what looks at the pictures.
        scale: how much to do.
        style: whose prompt and strengths are used.
        delivered_to: numbers of the people of whom the orchestrator makes portraits too.
    """

    def __init__(
        self, services: Services, eye: Eye, scale: Scale, style: Style, delivered_to: Collection[int]
    ) -> None:
        self._services, self._eye, self._scale, self._style = services, eye, scale, style
        self._generator = Generator(services, scale, style)
        self._delivered_to = frozenset(delivered_to)

    def run(self, person: Person) -> dict[str, Any]:
        """Measures one person; writes result.json, faces.binpb and pictures to the person's folder."""
        folder = self._scale.person_folder(person.number)
        folder.mkdir(parents=True, exist_ok=True)
        references = self._eye.references_of(person)
        chain = Chain(self._services, self._eye, self._style.fusion, references)
        made = self._generator.make(person)
        pictures = self._eye.reader.read([candidate.data for candidate in made.candidates])
        with ThreadPoolExecutor(_IN_FLIGHT) as pool:
            finished = list(pool.map(chain.finish, pictures))
            rows = list(
                pool.map(lambda index: self._row(chain, finished, index, references), range(len(finished)))
            )
        result = {
            "number": person.number,
            "setup": setup_of(self._eye, self._scale, self._style),
            "reference_count": len(references.photos),
            "candidates": rows,
            "ranking": rankings(self._services, finished, references, made.prompt, self._style),
            "photos": self._photo_similarities(person, references),
            "degraded": degraded_figures(self._services, person),
            "delivered": self._delivered(person, references),
        }
        _save_pictures(folder, references, finished)
        _save_faces(folder, self._eye, person, references, finished)
        self._eye.reader.forget()
        write_json(folder / "result.json", result)
        return result

    def _photo_similarities(self, person: Person, references: References) -> list[float]:
        """The judge's similarity of further photos of the person: what a perfect portrait would have."""
        probes = self._eye.reader.read([sample.image.read_bytes() for sample in person.probes])
        return known([self._eye.look(seen, references).similarity for seen in probes])

    def _delivered(self, person: Person, references: References) -> dict[str, Any] | None:
        """What the orchestrator returns for the first few people; None for the others."""
        if person.number not in self._delivered_to:
            return None
        with LikenessClient(self._services.target, "evaluation") as client:
            return deliver(client, self._eye, person, references, self._style.name)

    def _row(
        self, chain: Chain, finished: Sequence[Finished], index: int, references: References
    ) -> dict[str, Any]:
        one = finished[index]
        looks = {name: look.as_json() for name, look in one.looks.items()}
        if index < self._scale.compared_count and one.pictures["candidate"].only is not None:
            strength = self._style.fusion
            for name, act in (("five_points", five_points), ("one_template", one_template)):
                seen = act(chain, one.pictures["candidate"], references, strength)
                looks[name] = self._eye.look(seen, references).as_json()
            upscaled = upscaled_look(self._services, self._eye, one.pictures["finished"], references)
            looks["upscaled"] = upscaled.as_json()
        return {"index": index, "looks": looks, "steps": [step_json(step) for step in one.steps]}


def known_results(
    scale: Scale, numbers: Sequence[int], setup: Mapping[str, Any]
) -> dict[int, dict[str, Any]]:
    """Returns the results of people by number that were measured in the same setup; others do not count.

    Two judges, or two quality nets, in one mean would be a figure of nothing.
    """
    files = {number: scale.person_folder(number) / "result.json" for number in numbers}
    found = {number: json.loads(path.read_text("utf-8")) for number, path in files.items() if path.is_file()}
    return {number: result for number, result in found.items() if result["setup"] == setup}


def setup_of(eye: Eye, scale: Scale, style: Style) -> dict[str, Any]:
    """Returns what must be the same of all people of a report: judge, models, sizes, style."""
    models = {model.purpose: model.name for model in eye.reader.backend.models if model.is_available}
    return {
        "judge": eye.judge.name,
        "models": models,
        "sizes": [scale.reference_count, scale.candidate_count, scale.compared_count],
        "style": json.loads(style.model_dump_json()),
    }


def step_json(step: Done) -> dict[str, Any]:
    """Returns a step for the result file."""
    return {**asdict(step), "is_kept": step.is_kept}


def look_from(known: Mapping[str, Any]) -> Look:
    """Returns a look of a result file."""
    return Look(**known)


def write_json(path: Path, content: Any) -> None:
    """Writes a file at once, so that a broken run leaves none that is half written."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=1, allow_nan=False), "utf-8")
    draft.replace(path)


def _save_pictures(folder: Path, references: References, finished: Sequence[Finished]) -> None:
    """Keeps what the sheets show: JPEG, as there are thousands."""

    def save(name: str, seen: Seen) -> None:
        rgb = decode_image(seen.data, name=name)
        (folder / f"{name}.jpg").write_bytes(encode_jpeg(rgb, quality=95))

    for position, photo in enumerate(references.photos):
        save(f"reference-{position}", photo)
    for index, one in enumerate(finished):
        for name in _SHOWN:
            save(f"{index:02d}-{name}", one.pictures[name])


def _save_faces(
    folder: Path, eye: Eye, person: Person, references: References, finished: Sequence[Finished]
) -> None:
    """Keeps the faces of references, probes and portraits: the gate compares everybody with everybody."""
    probes = eye.reader.read([sample.image.read_bytes() for sample in person.probes])
    groups = {
        "references": references.photos,
        "probes": probes,
        "portraits": [one.pictures["finished"] for one in finished],
    }
    for name, seen in groups.items():
        images = [analysis_pb.AnalyzedImage(faces=[bare(one.only)]) for one in seen if one.only is not None]
        response = analysis_pb.AnalyzeResponse(images=images)
        (folder / f"{name}.binpb").write_bytes(response.SerializeToString())


def bare(face: face_pb2.Face) -> face_pb2.Face:
    """Returns a face without its structure and marks."""
    copy = face_pb2.Face()
    copy.CopyFrom(face)
    for name in ("dense_landmarks", "part_map", "marks"):
        copy.ClearField(name)
    return copy
