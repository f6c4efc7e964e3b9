"""Draws the previews of styles: one small portrait of a sample identity each, and only where one is stale."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from likeness.common.v1 import job_pb2
from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc
from likeness.orchestrator.v1 import resources_pb2
from PIL import Image
from rich.console import Console
from rich.markup import escape

from cli.client import CALL_TIMEOUT_S, LikenessClient, read_photos
from cli.gallery import UNAVAILABLE, style_id
from cli.live import follow

SIDE_PX, WEBP_QUALITY = 256, 85
INDEX = "index.json"


@dataclass(frozen=True)
class Drawing:
    """How previews are drawn: of whom, with which seed, the best of how many."""

    photos: Sequence[Path]
    sample: str
    seed: int
    candidate_count: int


@dataclass(frozen=True)
class Wanted:
    """A style to be drawn, and all that its preview follows from."""

    style: resources_pb2.Style
    key: dict[str, Any]


class PreviewFolder:
    """Previews and their index: by style the file, and what it was drawn from.

    The orchestrator reads the same index: it shows a preview only where `style_sha256` is that of the style.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        index = folder / INDEX
        said = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}
        self._entries: dict[str, dict[str, Any]] = {
            name: entry for name, entry in said.items() if (folder / entry["file"]).exists()
        }

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """Size of all pictures together."""
        return sum((self._folder / entry["file"]).stat().st_size for entry in self._entries.values())

    def is_current(self, wanted: Wanted) -> bool:
        """Whether a style's preview exists and was drawn from the same things."""
        entry = self._entries.get(style_id(wanted.style), {})
        drawn_from = {name: value for name, value in entry.items() if name not in ("file", "similarity")}
        return drawn_from == wanted.key

    def picture(self, style: resources_pb2.Style) -> bytes | None:
        """Returns the preview of a style as it is now, if there is one."""
        entry = self._entries.get(style_id(style), {})
        if entry.get("style_sha256") != style.sha256:
            return None
        return (self._folder / entry["file"]).read_bytes()

    def keep(self, wanted: Wanted, webp: bytes, similarity: float) -> None:
        """Adds or replaces a preview; a crash leaves the index and the picture it names whole."""
        name = style_id(wanted.style)
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(self._folder / f"{name}.webp", webp)
        self._entries[name] = {"file": f"{name}.webp", **wanted.key, "similarity": round(similarity, 3)}
        ordered = dict(sorted(self._entries.items()))
        _write(self._folder / INDEX, (json.dumps(ordered, indent=1) + "\n").encode())


def default_model(target: str) -> diffusion_pb2.Model:
    """Returns the model that styles are drawn with.

    The diffusion service must answer at the same address as the orchestrator, as it does of `likeness serve`.
    """
    with grpc.insecure_channel(target) as channel:
        stub = diffusion_pb2_grpc.DiffusionServiceStub(channel)
        return stub.ListModels(diffusion_pb2.ListModelsRequest(), timeout=CALL_TIMEOUT_S).models[0]


def wanted_previews(
    styles: Sequence[resources_pb2.Style], model: diffusion_pb2.Model, drawing: Drawing
) -> list[Wanted]:
    """Returns each style with what its preview follows from; those that lack something are among them."""
    digests = {adapter.name: adapter.sha256 for adapter in model.adapters}
    how = {
        "model_digest": model.digest,
        "sample": drawing.sample,
        "seed": drawing.seed,
        "candidates": drawing.candidate_count,
    }
    return [
        Wanted(
            style,
            {
                "style_sha256": style.sha256,
                "adapters": {name: digests.get(name, "") for name in style.adapters},
                **how,
            },
        )
        for style in styles
    ]


def draw_all(
    client: LikenessClient,
    folder: PreviewFolder,
    wanted: Sequence[Wanted],
    drawing: Drawing,
    console: Console,
    *,
    again: bool,
) -> list[str]:
    """Draws what is stale, or everything; returns the names of the styles that did not come out."""
    lacking = [item for item in wanted if item.style.availability == UNAVAILABLE]
    for item in lacking:
        console.print(f"[dim]{style_id(item.style)}: {escape(item.style.unavailable_reason)}[/]")
    able = [item for item in wanted if item.style.availability != UNAVAILABLE]
    stale = [item for item in able if again or not folder.is_current(item)]
    console.print(f"{len(stale)} to draw, {len(able) - len(stale)} up to date, {len(lacking)} not installed")
    if not stale:
        return []
    person = client.create_identity(read_photos(drawing.photos), drawing.sample)
    failed = []
    try:
        for number, item in enumerate(stale, start=1):
            problem = _draw(client, folder, item, person.name, drawing)
            failed += [style_id(item.style)] if problem else []
            mark = f"[red]{escape(problem)}[/]" if problem else "[green]drawn[/]"
            console.print(f"{number}/{len(stale)} {style_id(item.style)}: {mark}")
    finally:
        # With its photos and portraits: nothing of a preview's making stays on the server.
        client.delete_identity(person.name)
    return failed


def _draw(
    client: LikenessClient, folder: PreviewFolder, item: Wanted, identity: str, drawing: Drawing
) -> str:
    """Draws one preview and keeps it; returns what went wrong, or ""."""
    spec = resources_pb2.PortraitSpec(
        identity=identity,
        style=item.style.name,
        portrait_count=1,
        candidate_count=drawing.candidate_count,
        mode=resources_pb2.IDENTITY_MODE_TRAIN_FREE,
        seed=drawing.seed,
        size_px=SIDE_PX,
    )
    last = follow(client.watch_portrait(client.create_portrait(spec).name), Console(quiet=True))
    if last.state != job_pb2.JOB_STATE_SUCCEEDED:
        return last.error.message or "it was cancelled"
    winner = next(candidate for candidate in last.candidates if candidate.is_winner)
    folder.keep(item, small(client.download(winner.artifact)), winner.best_similarity)
    return ""


def small(png: bytes) -> bytes:
    """Returns a picture as a small WebP, at most 256 px a side."""
    with Image.open(io.BytesIO(png)) as picture:
        rgb = picture.convert("RGB")
    rgb.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    rgb.save(packed, "WEBP", quality=WEBP_QUALITY, method=6)
    return packed.getvalue()


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(path.suffix + ".draft")
    draft.write_bytes(data)
    draft.replace(path)
