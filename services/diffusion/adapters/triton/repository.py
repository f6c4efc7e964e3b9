"""Writes a Triton model repository around an exported graph."""

import os
import shutil
from pathlib import Path

from services.diffusion.adapters.graph.sidecar import SIDECAR_FILE, UNetGraph
from services.diffusion.adapters.triton import server
from services.diffusion.adapters.triton.config_text import RepositoryOptions, front_config


def write_repository(
    graph: UNetGraph, place: Path, options: RepositoryOptions, *, plan_model: str | None = None
) -> Path:
    """Write the model *options.name* below the repository folder *place*; returns the model's folder.

    An earlier model of that name is replaced. *graph*'s files are linked where the file system can, else
    copied. With *plan_model* another model of the repository evaluates the graph: only unet.json is needed.

    Raises: OSError.
    """
    folder = place / options.name
    shutil.rmtree(folder, ignore_errors=True)
    version = folder / "1"
    version.mkdir(parents=True)
    for file in sorted(Path(server.__path__[0]).glob("*.py")):
        shutil.copyfile(file, version / file.name)
    names = [SIDECAR_FILE] if plan_model else sorted(file.name for file in graph.folder.iterdir())
    for name in names:
        link_or_copy(graph.folder / name, version / name)
    (folder / "config.pbtxt").write_text(front_config(graph, options, plan_model), encoding="utf-8")
    return folder


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link to *source*, or a copy where the file systems differ."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
