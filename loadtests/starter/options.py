"""The options of the evaluation's command."""

import argparse
import dataclasses
import json
from pathlib import Path

from loadtests.common.arguments import count
from loadtests.starter.methods import METHODS, chosen
from loadtests.starter.prompts import EDITS, Prompt
from loadtests.starter.scale import WEIGHTS, Scale

_MOST_PEOPLE = 500


def parser_of(description: str) -> argparse.ArgumentParser:
    """Returns the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.starter",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_amounts(parser)
    _add_sources(parser)
    gate = parser.add_argument_group("CI's gate")
    gate.add_argument(
        "--gate", action="store_true", help="the small fixed run, held against committed floors"
    )
    gate.add_argument("--write", action="store_true", help="with --gate: write the floors instead")
    return parser


def _add_amounts(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how much").add_argument
    add("--identities", type=count, metavar="N", help="people (default 12; 60 for narrow intervals; quick 3)")
    add(
        "--trained", type=int, metavar="N", help="of how many an adapter is trained, minutes each (default 2)"
    )
    add("--images", type=count, metavar="N", help="pictures of each prompt and method (default 4)")
    add("--methods", metavar="A,B", help=f"of {', '.join(m.key for m in METHODS)}; default: all")
    add("--prompts", metavar="A,B", help="edit prompts by name; default: all 20; a wrong name lists them")
    add("--quick", action="store_true", help="few of everything: to try out, not to publish")


def _add_sources(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("of what").add_argument
    add(
        "--data", type=Path, metavar="FOLDER", help="take renders of starter/heads, characters from 100000 on"
    )
    add("--weights", type=Path, default=WEIGHTS, metavar="FOLDER", help="the pack (default starter/weights)")
    add("--judge", type=Path, metavar="FOLDER", help="embedder.onnx with its card; default: the pack's")
    add("--photos", type=Path, metavar="FOLDER", help="further photographs for the section on them")
    add("--server", metavar="HOST:PORT", help="server to use, with the pack it has; default: an embedded one")
    add("--work", type=Path, default=Scale().work, metavar="FOLDER", help="renders, pictures, what was read")
    add("--workers", type=count, default=1, metavar="N", help="processes that draw renders (default 1)")


def scale_of(options: argparse.Namespace) -> Scale:
    """Returns the sizes that were asked for. Raises: ValueError for what makes no sense."""
    scale = Scale(work=options.work, data=options.data, weights=options.weights, photos=options.photos)
    scale = scale.quick() if options.quick else scale
    given = {
        "people": options.identities,
        "trained": options.trained,
        "image_count": options.images,
        "methods": chosen(options.methods) if options.methods else None,
        "edits": prompts_of(options.prompts) if options.prompts else None,
    }
    scale = dataclasses.replace(scale, **{name: value for name, value in given.items() if value is not None})
    if not 2 <= scale.people <= _MOST_PEOPLE:
        raise ValueError(f"--identities: from 2 (the threshold comes from the others) to {_MOST_PEOPLE}")
    if scale.trained < 0:
        raise ValueError("--trained: 0 or more")
    if not (scale.weights / "unet").is_dir():
        raise ValueError(f"--weights: {scale.weights} holds no pack: it has no unet/")
    return scale


def prompts_of(names: str) -> tuple[Prompt, ...]:
    """Returns edit prompts by their names. Raises: ValueError for an unknown one."""
    known = {prompt.name: prompt for prompt in EDITS}
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f"--prompts: {', '.join(unknown)} is unknown; known: {', '.join(known)}")
    return tuple(known[name] for name in wanted)


def environment_of(weights: Path) -> dict[str, str]:
    """Returns what an embedded server must be told to serve a pack; nothing for the default one."""
    if weights.resolve() == WEIGHTS:
        return {}
    models = json.dumps({"starter": str(weights.resolve())})
    found = {"LIKENESS_DIFFUSION_MODELS": models, "LIKENESS_LORA_TRAINING_MODELS": models}
    for net in ("attributes", "structure", "marks", "quality"):
        if (weights / net).is_dir():
            found[f"LIKENESS_FACE_ANALYSIS_{net.upper()}_FOLDER"] = str((weights / net).resolve())
    return found


def command_of(options: argparse.Namespace) -> str:
    """Returns what a reader types to get the same figures; where files lie is no part of it."""
    words = ["python -m loadtests.starter"]
    if options.quick:
        words.append("--quick")
    for name in ("identities", "trained", "images", "methods", "prompts"):
        if getattr(options, name) is not None:
            value = str(getattr(options, name))
            words.append(f"--{name} '{value}'" if " " in value else f"--{name} {value}")
    words += [
        f"--{name} FOLDER" for name in ("data", "judge", "photos") if getattr(options, name) is not None
    ]
    if options.weights != WEIGHTS:
        words.append("--weights FOLDER")
    return " ".join(words)
