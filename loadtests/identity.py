"""`make eval-identity`: do portraits look like the person they were made of?

For each sample identity portraits are made of its five renders, and the face of every returned portrait is
compared with all references of all sample identities. A portrait counts if exactly one face is found and
its best similarity to its own references beats the best one to each other identity. Leaves a report in
out/reports/eval-identity.json and a contact sheet per identity under out/eval-identity/.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import grpc
from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc
from likeness.orchestrator.v1 import resources_pb2
from rich.console import Console

from cli.client import LikenessClient, read_photos
from cli.embedded import embedded_server
from cli.live import follow
from cli.report import write_results
from shared.reports import Bar, write_report

SAMPLES = Path(__file__).resolve().parent.parent / "starter" / "samples"
OUT = Path("out/eval-identity")
PORTRAIT_COUNT = 4
CANDIDATE_COUNT = 8
GOAL_OF_FOUR = 3


@dataclass(frozen=True)
class Comparison:
    """A returned portrait: best similarity to each sample identity, 0 without a single face."""

    has_one_face: bool
    similarity: dict[str, float]

    def is_like(self, name: str) -> bool:
        """Tells whether its own references beat every other identity's."""
        others = [value for other, value in self.similarity.items() if other != name]
        return self.has_one_face and self.similarity[name] > max(others)


@dataclass(frozen=True)
class Evaluation:
    """What was found for one identity. `own_count`: portraits that are like it."""

    own_count: int
    returned_count: int
    wall_s: float
    portraits: list[Comparison]


def main() -> None:
    """Runs the evaluation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", metavar="HOST:PORT", help="server to use; default: an embedded one")
    parser.add_argument("--train", action="store_true", help="train an adapter for each identity first")
    parser.add_argument("--seed", type=int, default=0, help="seed of the portraits")
    options = parser.parse_args()
    console = Console()
    server = nullcontext(options.server) if options.server else embedded_server(console)
    with (
        server as target,
        LikenessClient(target, "evaluation") as client,
        grpc.insecure_channel(target) as channel,
    ):
        faces = face_analysis_pb2_grpc.FaceAnalysisServiceStub(channel)
        references = {folder.name: embeddings(faces, photos_of(folder)) for folder in folders()}
        results = {
            name: evaluate(client, faces, console, name, references, options.train, options.seed)
            for name in references
        }
    bars = [
        Bar(f"{name}: own face of {PORTRAIT_COUNT}", found.own_count, GOAL_OF_FOUR, ">=")
        for name, found in results.items()
    ]
    mode = " --train" if options.train else ""
    write_report(
        "eval-identity",
        f"python -m loadtests.identity{mode} --seed {options.seed}",
        bars,
        {name: dataclasses.asdict(found) for name, found in results.items()},
    )


def folders() -> list[Path]:
    """Returns the folders of the sample identities."""
    return sorted(path for path in SAMPLES.iterdir() if path.is_dir())


def photos_of(folder: Path) -> list[bytes]:
    """Returns the encoded renders of an identity."""
    return [path.read_bytes() for path in sorted(folder.glob("*.png"))]


def embeddings(
    faces: face_analysis_pb2_grpc.FaceAnalysisServiceStub, pictures: Sequence[bytes]
) -> list[list[float] | None]:
    """Returns each picture's embedding; None where not exactly one face is found."""
    request = face_analysis_pb2.AnalyzeRequest(images=[image_pb2.Image(data=data) for data in pictures])
    answer = faces.Analyze(request, timeout=120)
    return [single(image.faces) for image in answer.images]


def single(found: Sequence[face_pb2.Face]) -> list[float] | None:
    """Returns the embedding of the only face, or None."""
    return list(found[0].embedding.values) if len(found) == 1 else None


def best(embedding: Sequence[float], references: Sequence[Sequence[float] | None]) -> float:
    """Returns the best cosine of an embedding to any reference; embeddings are normalised."""
    known = [reference for reference in references if reference is not None]
    return max(sum(a * b for a, b in zip(embedding, reference, strict=True)) for reference in known)


def evaluate(
    client: LikenessClient,
    faces: face_analysis_pb2_grpc.FaceAnalysisServiceStub,
    console: Console,
    name: str,
    references: dict[str, list[list[float] | None]],
    train: bool,
    seed: int,
) -> Evaluation:
    """Makes portraits of one identity and compares them with all identities."""
    identity = client.create_identity(read_photos(sorted((SAMPLES / name).glob("*.png"))), name.title())
    mode = resources_pb2.IDENTITY_MODE_TRAIN if train else resources_pb2.IDENTITY_MODE_TRAIN_FREE
    spec = resources_pb2.PortraitSpec(
        identity=identity.name,
        portrait_count=PORTRAIT_COUNT,
        candidate_count=CANDIDATE_COUNT,
        mode=mode,
        seed=seed,
        style="styles/studio",
    )
    portrait = follow(client.watch_portrait(client.create_portrait(spec).name), console)
    winners = write_results(OUT / name, identity, portrait, client.download)
    found = embeddings(faces, [path.read_bytes() for path in winners]) if winners else []
    compared = [
        Comparison(
            embedding is not None,
            {other: best(embedding, known) if embedding else 0.0 for other, known in references.items()},
        )
        for embedding in found
    ]
    wall_s = (portrait.end_time.ToDatetime() - portrait.start_time.ToDatetime()).total_seconds()
    return Evaluation(sum(one.is_like(name) for one in compared), len(winners), wall_s, compared)


if __name__ == "__main__":
    main()
