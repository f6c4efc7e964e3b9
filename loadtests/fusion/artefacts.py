"""How well Rank's checks tell a good picture of a face from a spoiled one.

Held-out renders go through face analysis and Rank as they are, and again with the face spoiled to a known
degree. A refusal of a clean one is a false alarm; the gate is open, so that nothing but a defect refuses.

    python -m loadtests.fusion.artefacts --data DIR [--server HOST:PORT] [--most N]
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from likeness.common.v1 import image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb
from rich.console import Console

from cli.embedded import embedded_server
from loadtests.common.intervals import wilson
from loadtests.common.services import CALL_TIMEOUT_S, Reader, Services, open_services
from loadtests.markdown import table
from shared.images import encode_png
from shared.threads import apply_thread_defaults
from starter.data.manifest import Sample, held_out_part, read_manifest

if TYPE_CHECKING:
    from loadtests.fusion.spoiling import Spoil


def measure(
    services: Services, samples: Sequence[Sample], spoils: "Mapping[str, Spoil]", seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Returns, by kind of damage, how many pictures were refused, and by which check.

    Pictures in which no single face is found any more are refused too; "no face" counts them.
    """
    found = {}
    for kind, spoil in spoils.items():
        rng, reader = np.random.default_rng(seed), Reader(services)
        refused: Counter[str] = Counter()
        for sample in samples:
            other = samples[int(rng.integers(len(samples)))]
            refused[verdict_on(services, reader, encode_png(spoil(sample, other, rng)))] += 1
        passed = refused.pop("", 0)
        found[kind] = {"pictures": len(samples), "refused": len(samples) - passed, "by": dict(refused)}
    return found


def verdict_on(services: Services, reader: Reader, picture: bytes) -> str:
    """Returns the check that refuses a picture; "no face" without a single one; empty where it passes."""
    seen = reader.read_one(picture)
    if seen.only is None:
        return "no face"
    face = seen.only
    own = face.comparison_embedding if face.HasField("comparison_embedding") else face.embedding
    image = image_pb2.Image(data=picture)
    request = pb.RankRequest(
        candidates=[pb.RankedInput(candidate_id="picture", faces=seen.faces, image=image)],
        references=[own],
        identity_gate=-1.0,
        min_face_px=0,
    )
    [verdict] = services.fusion.Rank(request, timeout=CALL_TIMEOUT_S).candidates
    return verdict.checks[0].name if verdict.HasField("rejection") else ""


def markdown(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns a table of the shares refused, with 95 % intervals (Wilson)."""
    rows = []
    for kind, counts in found.items():
        low, high = wilson(counts["refused"], counts["pictures"])
        share = f"{counts['refused'] / counts['pictures']:.1%} ({low:.1%} to {high:.1%})"
        by = ", ".join(f"{name} {count}" for name, count in Counter(counts["by"]).most_common(4))
        rows.append([kind, str(counts["pictures"]), share, by])
    return table(["damage", "pictures", "refused", "most by"], rows)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.fusion.artefacts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="renders of `starter render`")
    parser.add_argument("--server", help="HOST:PORT of a running server; else one is started")
    parser.add_argument("--most", type=int, default=360, help="pictures of each kind (default 360)")
    options = parser.parse_args()
    apply_thread_defaults()
    # Only now: it loads libraries that read the variables just set.
    from loadtests.fusion.spoiling import SPOILS

    samples = held_out_part(read_manifest(options.data))
    samples = samples[:: max(1, len(samples) // options.most)][: options.most]
    server = nullcontext(options.server) if options.server else embedded_server(Console())
    with server as target, open_services(target) as services:
        print(markdown(measure(services, samples, SPOILS)))


if __name__ == "__main__":
    main()
