"""`likeness calibrate` on drawn people, over a real server with the fake backend."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2
from PIL import Image
from typer.testing import CliRunner

from cli import people
from cli.main import app
from cli.people import Faces, Picture, file_bytes, objection, read_people
from services.face_analysis.bootstrap import build
from services.face_analysis.settings import FaceAnalysisSettings
from shared.artifacts import open_store
from shared.gates import read_gate
from shared.images import encode_png
from shared.server import LikenessServer
from shared.settings import ServerSettings
from tests.support import faces

runner = CliRunner()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """Face analysis with the fake backend, on a loop of its own; "HOST:PORT"."""
    folder = tmp_path_factory.mktemp("server")
    started, loop = threading.Event(), asyncio.new_event_loop()
    found: dict[str, int] = {}

    async def serve(stop: asyncio.Event) -> None:
        service = build(FaceAnalysisSettings(backend="fake"), store=open_store(str(folder)))
        backs = LikenessServer([service], ServerSettings())
        found["port"] = await backs.start()
        await backs.warm_up()
        started.set()
        await stop.wait()
        await backs.stop()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(stop)))
    thread.start()
    assert started.wait(60)
    yield f"127.0.0.1:{found['port']}"
    loop.call_soon_threadsafe(stop.set)
    thread.join(60)
    loop.close()


@pytest.fixture(scope="module")
def album(tmp_path_factory) -> Path:
    """Twelve drawn people with three pictures each, which differ by noise; one picture shows nobody."""
    folder = tmp_path_factory.mktemp("album")
    rng = np.random.default_rng(0)
    for person in range(12):
        (folder / f"person-{person:02d}").mkdir()
        for view in range(3):
            picture = faces.drawn_face(person, size=96, centre=(48, 48), radius=28).astype(np.float64)
            noisy = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
            (folder / f"person-{person:02d}" / f"{view}.png").write_bytes(encode_png(noisy))
    (folder / "person-00" / "sea.png").write_bytes(encode_png(faces.scenery()))
    (folder / "person-00" / "notes.txt").write_text("not a picture")
    (folder / "alone").mkdir()
    (folder / "alone" / "0.png").write_bytes(encode_png(faces.drawn_face(99)))
    return folder


def test_album_gives_a_gate_a_table_and_a_plot(server, album, tmp_path):
    out = tmp_path / "gates" / "mine.json"

    result = runner.invoke(
        app, ["calibrate", str(album), "--rate", "0.1", "--out", str(out), "--server", server]
    )

    assert result.exit_code == 0, result.output
    gate = read_gate(out)
    assert (gate.model, gate.persons, gate.pictures) == ("fake-projection-v1", 12, 36)
    assert gate.rates == (0.1,) and gate.for_(1).false_reject_rate < 0.2
    assert "sea.png: NO_FACE_FOUND" in result.output
    assert "own turned away" in result.output and f"LIKENESS_FUSION_GATES_FILE={out}" in result.output
    with Image.open(out.with_suffix(".png")) as image:
        plot = np.asarray(image)
    assert plot.shape[1] == 960 and len(np.unique(plot.reshape(-1, 3), axis=0)) > 10
    assert str(album) not in json.dumps(json.loads(out.read_text())), "the file says no more than needed"


def test_too_little_data_is_told_before_anything_is_sent(album, tmp_path):
    out = tmp_path / "gate.json"

    result = runner.invoke(app, ["calibrate", str(album), "--out", str(out), "--server", "127.0.0.1:1"])

    text = " ".join(result.output.split())
    assert result.exit_code == 2 and not out.exists()
    assert "10,000 comparisons of strangers" in text and "ask for a larger rate" in text


def test_a_folder_that_is_not_there_is_named(tmp_path):
    result = runner.invoke(app, ["calibrate", str(tmp_path / "none")])

    assert result.exit_code == 2 and "one folder for each person" in " ".join(result.output.split())


@pytest.mark.parametrize("rate", ["0", "0.9", "-1"])
def test_rates_out_of_range_are_refused(album, rate):
    assert runner.invoke(app, ["calibrate", str(album), f"--rate={rate}"]).exit_code == 2


def test_a_server_that_is_not_there_is_named(album, tmp_path):
    arguments = ["calibrate", str(album), "--rate", "0.1", "--server", "127.0.0.1:1"]

    result = runner.invoke(app, [*arguments, "--out", str(tmp_path / "g.json")])

    assert result.exit_code == 1 and "No answer from 127.0.0.1:1" in result.output


def test_people_are_folders_with_two_pictures_or_more(album):
    pictures = read_people(album)

    assert len({picture.person for picture in pictures}) == 12
    assert sum(picture.path.parent.name == "person-00" for picture in pictures) == 4
    assert all(picture.path.suffix == ".png" for picture in pictures)


def face(*box: float, vector=(3.0, 4.0), model: str = "m", compared: str = "") -> face_pb2.Face:
    embedding = image_pb2.Embedding(values=vector, model=model)
    message = face_pb2.Face(box=image_pb2.Box(x0=box[0], y0=box[1], x1=box[2], y1=box[3]))
    message.embedding.CopyFrom(embedding)
    if compared:
        message.comparison_embedding.CopyFrom(image_pb2.Embedding(values=(0, 2), model=compared))
    return message


class TestFaces:
    @pytest.mark.parametrize(
        ("sizes", "reason"),
        [((), "NO_FACE_FOUND"), ((10,), ""), ((10, 6), "SEVERAL_FACES"), ((10, 5), ""), ((10, 4), "")],
    )
    def test_a_bystander_is_no_obstacle(self, sizes, reason):
        found = [face(0, 0, size, size) for size in sizes]

        assert objection(face_analysis_pb2.AnalyzedImage(faces=found)) == reason

    def test_a_refused_picture_says_why(self):
        refusal = face_pb2.Refusal(reason="IMAGE_TRUNCATED")

        assert objection(face_analysis_pb2.AnalyzedImage(refusal=refusal)) == "IMAGE_TRUNCATED"

    def test_comparison_embeddings_come_first_and_are_normalised(self):
        collected = Faces()
        collected.add(Picture(Path("a"), 0), face_analysis_pb2.AnalyzedImage(faces=[face(0, 0, 9, 9)]))
        assert collected.model == "m" and collected.embeddings[0] == pytest.approx([0.6, 0.8])

        other = Faces()
        other.add(
            Picture(Path("a"), 0), face_analysis_pb2.AnalyzedImage(faces=[face(0, 0, 9, 9, compared="m+1")])
        )
        assert other.model == "m+1" and other.embeddings[0] == pytest.approx([0, 1])

    def test_an_embedder_that_changes_midway_is_an_error(self):
        collected = Faces()
        collected.add(Picture(Path("a"), 0), face_analysis_pb2.AnalyzedImage(faces=[face(0, 0, 9, 9)]))

        with pytest.raises(ValueError, match="from m to n"):
            collected.add(
                Picture(Path("b"), 0), face_analysis_pb2.AnalyzedImage(faces=[face(0, 0, 9, 9, model="n")])
            )

    def test_somebody_left_with_one_picture_is_left_out(self):
        collected = Faces("m", [0, 1, 1, 2, 2, 2], [np.ones(2, np.float32)] * 6)

        rows, persons = collected.usable()

        assert persons.tolist() == [1, 1, 2, 2, 2] and rows.shape == (5, 2)


def test_pictures_over_the_limit_are_reduced_and_others_sent_as_they_are(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    path.write_bytes(encode_png(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)))
    assert file_bytes(path) == path.read_bytes()
    monkeypatch.setattr(people, "INLINE_LIMIT_BYTES", 20_000)
    monkeypatch.setattr(people, "REDUCED_SIDE_PX", 100)

    data = file_bytes(path)

    assert len(data) < 20_000
    (tmp_path / "small.jpg").write_bytes(data)
    with Image.open(tmp_path / "small.jpg") as reduced:
        assert reduced.size == (100, 75)
