"""Experiments that decide which adapters of the starter pack are shipped, and how adapters are used.

    python -m loadtests.adapters few-step      does the few-step adapter beat plain sampling of no more rows?
    python -m loadtests.adapters common-face   do trainings of one photo profit from the common face?
    python -m loadtests.adapters acting        where should a person's adapter act: in every row?

Characters whom no net was trained on are drawn, and portraits of them made through the services. Likeness is
judged by an embedder that took no part, and whether prompts are followed by nets trained on renders.
Pictures, trainings and what was read are kept in out/eval-adapters: the same command again goes on where it
was stopped. Leaves out/reports/eval-few-step.html, eval-common-face.html or eval-acting.html, with .json
and .md beside it.
"""

import argparse
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import grpc
from rich.console import Console

from cli.embedded import ServerDied, embedded_server
from loadtests.common.services import open_services
from loadtests.starter.options import environment_of
from loadtests.starter.prompts import EDITS
from loadtests.starter.scale import WEIGHTS, Scale
from shared.threads import apply_thread_defaults

_SERVICES = ("face_analysis", "diffusion", "lora_training")
_EDITS = ("blonde", "cap", "sunglasses", "sad", "grin")
FEW_STEP, COMMON_FACE, ACTING = "few-step", "common-face", "acting"


def parser_of() -> argparse.ArgumentParser:
    """Returns the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.adapters",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("experiment", choices=(FEW_STEP, COMMON_FACE, ACTING))
    parser.add_argument("--identities", type=int, default=12, metavar="N", help="people (default 12)")
    parser.add_argument("--images", type=int, default=2, metavar="N", help="of each prompt (default 2)")
    parser.add_argument(
        "--steps", default="50,200", metavar="A,B", help="of trainings, common-face alone (default 50,200)"
    )
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FOLDER", help="the pack")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="renders, characters from 100000 on")
    parser.add_argument("--work", type=Path, default=Path("out/eval-adapters"), metavar="FOLDER")
    parser.add_argument("--server", metavar="HOST:PORT", help="server to use; default: an embedded one")
    return parser


def scale_of(options: argparse.Namespace) -> Scale:
    """Returns the sizes that were asked for. Raises: ValueError for what makes no sense."""
    if options.identities < 2 or options.images < 1:
        raise ValueError("at least 2 people, for an interval, and 1 image")
    edits = tuple(prompt for prompt in EDITS if prompt.name in _EDITS)
    # A training of one photo sees one reference; the others are what it is held against.
    references = 1 if options.experiment == COMMON_FACE else Scale().reference_count
    return replace(
        Scale(work=options.work, data=options.data, weights=options.weights),
        people=options.identities,
        strangers=options.identities,
        image_count=options.images,
        edits=edits,
        reference_count=references,
    )


def steps_of(text: str) -> list[int]:
    """Returns the numbers of "50,200". Raises: ValueError."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise ValueError(f"--steps: whole numbers from 1 on, separated by commas, not {text!r}")
    return found


def command_of(options: argparse.Namespace) -> str:
    """Returns what a reader types to get the same figures; where files lie is no part of it."""
    words = [f"python -m loadtests.adapters {options.experiment} --identities {options.identities}"]
    words.append(f"--images {options.images}")
    if options.experiment == COMMON_FACE:
        words.append(f"--steps {options.steps}")
    return " ".join(words)


def main() -> None:
    """Runs an experiment."""
    options = parser_of().parse_args()
    apply_thread_defaults()
    # Only now: these load libraries that read the variables just set.
    from loadtests.adapters import acting, common_face, few_step, report
    from loadtests.adapters.drawn import Bench
    from loadtests.starter.people import photos_of

    try:
        scale, steps = scale_of(options), steps_of(options.steps)
        os.environ.update(environment_of(scale.weights))
        photos = photos_of(scale)
        server = nullcontext(options.server) if options.server else embedded_server(Console(), _SERVICES)
        with server as target, open_services(target) as services:
            bench = Bench(scale, services)
            people = bench.people(photos)
            if options.experiment == FEW_STEP:
                page = report.write(few_step, command_of(options), *few_step.measure(bench, people))
            elif options.experiment == ACTING:
                page = report.write(acting, command_of(options), *acting.measure(bench, people))
            else:
                page = report.write(
                    common_face, command_of(options), *common_face.measure(bench, people, steps)
                )
        print(f"look at {page}", flush=True)
    except KeyboardInterrupt:
        sys.exit("Stopped; what was drawn and trained is kept, and the same command goes on from there.")
    except grpc.RpcError as error:
        sys.exit(f"A service failed: {error.code().name}: {error.details()}.")
    except (ValueError, OSError, RuntimeError, ServerDied) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
