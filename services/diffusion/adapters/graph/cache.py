"""Finds a model's exported graph or exports it, once per model."""

import json
import os
import shutil
import tempfile
from pathlib import Path

from services.diffusion.adapters.graph.sidecar import SIDECAR_FILE, UNetGraph, read_graph
from shared.sdmodels import ModelFolder

# Where `likeness export --target onnx` puts a graph inside a model folder.
SHIPPED_FOLDER = "onnx"


def default_cache() -> Path:
    """$XDG_CACHE_HOME/likeness/graphs, by default below ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "likeness" / "graphs"


def cached_graph(folder: ModelFolder, cache: Path) -> UNetGraph:
    """The graph of *folder*: the one it holds, the one in *cache*, or a new one, written into *cache*.

    A graph made from other weights is never used. The new folder appears at once and whole; where two
    processes export at the same time, the first one's is kept.

    Raises: ModelUnsupported as export_unet; OSError if the cache cannot be written.
    """
    # Here and not above: exporting needs torch, finding a graph does not.
    from services.diffusion.adapters.graph.digest import graph_digest

    digest = graph_digest(folder)
    for place in (folder.path / SHIPPED_FOLDER, cache / digest):
        graph = read_graph(place)
        if graph is not None and graph.digest == digest:
            return graph
    return write_graph(folder, cache / digest)


def write_graph(folder: ModelFolder, place: Path) -> UNetGraph:
    """Export the graph of *folder* into the folder *place*, which appears whole or not at all.

    An earlier graph in *place* is replaced if its digest is another one. Raises: as cached_graph.
    """
    from services.diffusion.adapters.graph.export import export_unet

    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        graph = export_unet(folder, work)
        work.chmod(0o755)  # mkdtemp makes it private
        _publish(work, place, graph.digest)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    written = read_graph(place)
    if written is None:
        raise OSError(f"{place} was removed while it was written")
    return written


def _publish(work: Path, place: Path, digest: str) -> None:
    """Rename *work* to *place*; a rename onto a folder with content fails, so that nobody's file is torn."""
    try:
        work.rename(place)
        return
    except OSError:
        if _digest_at(place) == digest:
            return
    # Left over from other weights or another format: out of the way first, then the same again.
    old = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        place.rename(old)
        work.rename(place)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _digest_at(place: Path) -> str | None:
    try:
        return str(json.loads((place / SIDECAR_FILE).read_text(encoding="utf-8"))["model_digest"])
    except (OSError, ValueError, KeyError):
        return None
