"""The options of the evaluation's command."""

import argparse
import dataclasses
from pathlib import Path

from loadtests.common.arguments import count
from loadtests.fusion.scale import Scale
from services.orchestrator.adapters.style_files import StyleFolder
from services.orchestrator.domain.styles import Style
from services.orchestrator.settings import OrchestratorSettings

_MOST_PEOPLE = 500


def parser_of(description: str) -> argparse.ArgumentParser:
    """Returns the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.fusion",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--identities", type=count, metavar="N", help="people (default 12; 3 with --quick)")
    parser.add_argument("--candidates", type=count, metavar="N", help="portraits of each (default 20; 8)")
    parser.add_argument(
        "--delivered",
        type=int,
        metavar="N",
        help="people of whom the orchestrator makes portraits too, slow (default 4; 1); 0 leaves it out",
    )
    parser.add_argument("--quick", action="store_true", help="few of everything: to try out, not to publish")
    parser.add_argument("--resume", action="store_true", help="keep the results of people that are done")
    parser.add_argument("--prepare", action="store_true", help="draw and generate, measure nothing")
    parser.add_argument("--style", default="studio", help="style of the portraits (default studio)")
    parser.add_argument("--server", metavar="HOST:PORT", help="server to use; default: an embedded one")
    parser.add_argument(
        "--judge",
        type=Path,
        metavar="FOLDER",
        help="embedder.onnx with its card; default: the starter pack's",
    )
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="take renders of starter/heads, characters from 100000 on"
    )
    parser.add_argument(
        "--work", type=Path, default=Scale().work, metavar="FOLDER", help="renders, pictures, results"
    )
    parser.add_argument(
        "--workers", type=count, default=1, metavar="N", help="processes that draw (default 1)"
    )
    return parser


def scale_of(options: argparse.Namespace) -> Scale:
    """Returns the sizes that were asked for. Raises: ValueError for what makes no sense."""
    scale = Scale(work=options.work, style=options.style, data=options.data)
    scale = scale.quick() if options.quick else scale
    if options.identities is not None:
        scale = dataclasses.replace(scale, people=options.identities)
    if options.candidates is not None:
        scale = dataclasses.replace(scale, candidate_count=options.candidates)
    if options.delivered is not None:
        scale = dataclasses.replace(scale, delivered_count=max(0, options.delivered))
    if scale.people > _MOST_PEOPLE:
        raise ValueError(f"--identities: at most {_MOST_PEOPLE}, got {scale.people}")
    if scale.people < 2 or scale.candidate_count < 2:
        raise ValueError(
            "at least 2 people (the gate needs strangers) and 2 candidates (ranking needs a choice)"
        )
    return scale


def style_of(name: str) -> Style:
    """Returns a style. Raises: UnknownStyle."""
    return StyleFolder(OrchestratorSettings().styles_folder).get(f"styles/{name}").style


def command_of(options: argparse.Namespace) -> str:
    """Returns what a reader types to get the same figures; where files lie is no part of it."""
    words = ["python -m loadtests.fusion"]
    if options.quick:
        words.append("--quick")
    for name in ("identities", "candidates", "delivered"):
        if getattr(options, name) is not None:
            words.append(f"--{name} {getattr(options, name)}")
    if options.style != "studio":
        words.append(f"--style {options.style}")
    if options.data is not None:
        words.append("--data FOLDER")
    if options.judge is not None:
        words.append("--judge FOLDER")
    return " ".join(words)
