"""Writes a model's UNet in a form that runtimes take: python -m services.diffusion.export --help."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shared.threads import apply_thread_defaults

if TYPE_CHECKING:
    from shared.sdmodels import ModelFolder

TARGETS = ("onnx", "triton", "tensorrt")
# Of a model repository; RepositoryOptions has the defaults and says more.
TUNING = {
    "name": "name of the model on Triton",
    "device": "cpu, or cuda:N",
    "max_rows": "rows of one call, all clients together",
    "queue_delay_us": "microseconds that Triton waits for more rows",
    "rank_rows": "ranks of adapters kept at a time",
    "max_rank": "most ranks of one row's adapters together",
}


def main(arguments: list[str] | None = None) -> int:
    """Export as the arguments say; the exit code: 0, or 1 where the model cannot be exported."""
    given = _parser().parse_args(arguments)
    # Before anything heavy is imported: OpenMP reads its variables once.
    apply_thread_defaults()
    from shared.sdmodels import SdModelError

    try:
        written = export(given.model, given.target, given.out, _tuning(given))
    except (SdModelError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(written)
    return 0


def export(
    model: Path, target: str, out: Path | None = None, tuning: Mapping[str, str | int] | None = None
) -> Path:
    """Write the UNet of the folder *model* for *target*; the folder that holds it.

    Args:
        model: Stable Diffusion folder in diffusers layout.
        target: One of TARGETS. "onnx" is the graph with adapters and identity as inputs, "triton" a model
            repository with the graph in it, "tensorrt" one whose plan is built of the graph on a GPU host.
        out: Where to write; for "onnx" the default is the folder onnx/ of the model, where the service
            looks first, for the others triton/ or tensorrt/ in the working directory.
        tuning: Fields of RepositoryOptions ("triton" and "tensorrt").

    Raises:
        SdModelError: The folder is incomplete, or its UNet has no graph.
        OSError: *out* cannot be written.
        ValueError: Unknown target.
    """
    from services.diffusion.adapters.graph.cache import SHIPPED_FOLDER, write_graph
    from shared.sdmodels import open_model_folder

    folder = open_model_folder(model)
    if target == "onnx":
        return write_graph(folder, (out or model / SHIPPED_FOLDER).absolute()).folder
    if target in TARGETS:
        return _export_repository(folder, target, (out or Path(target)).absolute(), tuning or {})
    raise ValueError(f"unknown target {target}; known: {', '.join(TARGETS)}")


def _export_repository(
    folder: "ModelFolder", target: str, out: Path, tuning: Mapping[str, str | int]
) -> Path:
    from services.diffusion.adapters.graph.cache import cached_graph
    from services.diffusion.adapters.triton.config_text import options_for
    from services.diffusion.adapters.triton.repository import write_repository
    from services.diffusion.adapters.triton.tensorrt import write_tensorrt
    from services.diffusion.settings import DiffusionSettings

    graph = cached_graph(folder, DiffusionSettings().graph_cache)
    options = options_for(folder, tuning)
    if target == "tensorrt":
        return write_tensorrt(graph, out, options)
    return write_repository(graph, out, options)


def _tuning(given: argparse.Namespace) -> dict[str, str | int]:
    return {name: getattr(given, name) for name in TUNING if getattr(given, name) is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.diffusion.export", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="Stable Diffusion folder")
    parser.add_argument("--target", choices=TARGETS, default="onnx")
    parser.add_argument("--out", type=Path, help="folder to write (onnx: MODEL/onnx)")
    for name, words in TUNING.items():
        kind = str if name in ("name", "device") else int
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=f"{words} (triton, tensorrt)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
