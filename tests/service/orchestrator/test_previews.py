"""Previews from end to end: drawn by the command line, found by the orchestrator, again only when stale."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from PIL import Image
from rich.console import Console

from cli.client import LikenessClient
from cli.previews import Drawing, PreviewFolder, default_model, draw_all, small, wanted_previews
from services.orchestrator.adapters.style_files import StyleFolder
from tests.support.fake_services.pictures import picture
from tests.support.orchestra import Orchestra, orchestra

PLAIN = {
    "schema_version": 1, "version": 1, "title": "T", "description": "D.", "licence": "CC0-1.0",
    "prompt": "portrait of a {person}", "step_count": 2,
}  # fmt: skip


class Studio:
    """A command line beside an orchestrator of three styles, one of which cannot be drawn."""

    def __init__(self, stage: Orchestra, tmp_path: Path) -> None:
        self.stage, self.styles_folder = stage, tmp_path / "styles"
        self.folder = self.styles_folder / "previews"
        self.printed = io.StringIO()
        photos = []
        for seed in range(3):
            photos.append(tmp_path / f"{seed}.png")
            photos[-1].write_bytes(picture(1, seed=seed))
        self.drawing = Drawing(photos, "fake", 7, 2)

    async def draw(self, *, again: bool = False, **model: str) -> list[str]:
        """Run the command; return the names of styles that did not come out."""
        return await asyncio.to_thread(self._draw, again, model)

    def _draw(self, again: bool, changes: dict[str, str]) -> list[str]:
        with LikenessClient(f"127.0.0.1:{self.stage.server.port}", "previews") as client:
            styles = client.list_styles(omit_previews=True)
            model = default_model(f"127.0.0.1:{self.stage.fakes_port}")
            for name, value in changes.items():
                setattr(model, name, value)
            wanted = wanted_previews(styles, model, self.drawing)
            console = Console(file=self.printed, width=200)
            folder = PreviewFolder(self.folder)
            return draw_all(client, folder, wanted, self.drawing, console, again=again)

    @property
    def drawn_count(self) -> int:
        return len(self.stage.fakes.script.calls["Generate"])


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    (tmp_path / "styles").mkdir()
    sky = {"prompt": "portrait of a {person}, sky background"}
    for name, more in (("one", {}), ("two", sky), ("ink", {"adapter": {"name": "ink"}})):
        said = {**PLAIN, "name": name, **more}
        (tmp_path / "styles" / f"{name}.yaml").write_text(yaml.safe_dump(said))
    async with orchestra(tmp_path, styles_folder=tmp_path / "styles") as stage:
        yield Studio(stage, tmp_path)


async def test_what_is_drawn_is_found_by_the_orchestrator(studio: Studio):
    assert await studio.draw() == []

    found = {known.style.name: known.preview for known in StyleFolder(studio.styles_folder).all()}
    assert found["ink"] is None, "it cannot be drawn, and nothing else is shown for it"
    for name in ("one", "two"):
        preview = Image.open(io.BytesIO(found[name] or b""))
        assert (preview.format, preview.size) == ("WEBP", (256, 256))
    assert found["one"] != found["two"]
    assert "adapters/ink.safetensors" in studio.printed.getvalue()


async def test_only_what_is_stale_is_drawn_again(studio: Studio):
    await studio.draw()
    first = studio.drawn_count
    await studio.draw()
    assert studio.drawn_count == first, "nothing has changed"

    (studio.folder / "two.webp").unlink()
    await studio.draw()
    assert studio.drawn_count == first + 2, "one of two, two candidates each"
    await studio.draw(digest="other weights")
    assert studio.drawn_count == first + 6
    await studio.draw(digest="other weights", again=True)
    assert studio.drawn_count == first + 10


async def test_a_run_that_was_ended_goes_on_where_it_stopped(studio: Studio):
    await studio.draw()
    index = studio.folder / "index.json"
    kept = {name: entry for name, entry in json.loads(index.read_text()).items() if name == "one"}
    index.write_text(json.dumps(kept))
    before = studio.drawn_count

    await studio.draw()

    assert studio.drawn_count == before + 2
    assert set(json.loads(index.read_text())) == {"one", "two"}


async def test_a_style_whose_candidates_all_fail_has_no_preview_and_is_named(studio: Studio):
    stranger = lambda request: picture(5, seed=request.seed % 1000, size_px=256)  # noqa: E731
    # The whole budget of the first style: twice its two candidates.
    studio.stage.fakes.script.queue("Generate", *[stranger] * 4)

    assert await studio.draw() == ["one"]

    assert set(json.loads((studio.folder / "index.json").read_text())) == {"two"}
    assert "one: None of 4 candidates" in studio.printed.getvalue()


async def test_nothing_of_the_sample_stays_on_the_server(studio: Studio):
    await studio.draw()

    client, channel = studio.stage.client_of("previews")
    assert not (await client.stub.ListIdentities(pb.ListIdentitiesRequest())).identities
    assert not (await client.stub.ListPortraits(pb.ListPortraitsRequest())).portraits
    await channel.close()


def test_a_preview_is_small():
    data = small(picture(1, size_px=512))
    with Image.open(io.BytesIO(data)) as preview:
        assert preview.size == (256, 256)
    assert len(data) < 40_000
