import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from starter.data.manifest import read_manifest
from starter.heads import dataset, gl
from starter.heads.cli import app
from starter.heads.contact_sheet import contact_sheet
from starter.heads.dataset import RenderJob, finished, identity_of, read_records, render_share, view_of
from starter.heads.gl import PACKAGES, NoGraphicsError
from starter.heads.looks import Look
from starter.heads.renderer import Renderer

SIZE_PX = 96  # of conftest.py's renderer
QUICK_SEED = 42  # its first two people have no hair to grow


def small_job(out: Path) -> RenderJob:
    looks: tuple[Look, ...] = ("render", "toon")
    quick = {"seed": QUICK_SEED, "size_px": SIZE_PX, "supersample": 1}
    return RenderJob(out, (0, 1), 1, looks, depth=True, full_parts=True, **quick)


def test_numbers_settle_identity_and_view_whatever_else_is_drawn() -> None:
    assert identity_of(1, 7) == identity_of(1, 7)
    assert identity_of(1, 7) != identity_of(1, 8)
    assert identity_of(1, 7) != identity_of(2, 7)
    person = identity_of(1, 7)
    assert view_of(1, 7, 0, person) == view_of(1, 7, 0, person)
    assert view_of(1, 7, 0, person) != view_of(1, 7, 1, person)


def test_a_run_writes_what_training_reads_and_a_second_run_draws_nothing(
    tmp_path: Path, renderer: Renderer
) -> None:
    job = small_job(tmp_path)
    drawn = list(render_share(job, renderer=renderer))
    assert sorted(drawn) == [(0, 0), (1, 0)] == sorted(finished(tmp_path))
    samples = read_manifest(tmp_path)
    assert samples
    for sample in samples:
        picture, parts = cv2.imread(str(sample.image)), cv2.imread(str(sample.parts), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (SIZE_PX, SIZE_PX, 3)
        assert parts.shape == (SIZE_PX // 2, SIZE_PX // 2)
        assert sample.looks["toon"].exists()
        assert sample.depth is not None
        assert sample.parts_full is not None
        depth, full = (
            cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (sample.depth, sample.parts_full)
        )
        assert depth.dtype == np.uint16
        assert ((depth > 0) == (full > 0)).all()
        assert (full[1::2, 1::2] == parts).all()
        assert sample.landmarks.shape == (106, 2)
        assert np.linalg.norm(sample.embedding) == pytest.approx(1, abs=1e-4)
    assert list(render_share(job, renderer=renderer)) == []


def test_an_interrupted_run_goes_on_with_the_same_bytes(tmp_path: Path, renderer: Renderer) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    list(render_share(small_job(whole), renderer=renderer))
    interrupted = render_share(small_job(parted), renderer=renderer)
    next(interrupted)
    interrupted.close()
    manifest = parted / "manifest-0.jsonl"
    manifest.write_text(manifest.read_text() + '{"identity": 1, "vi')  # killed in the middle of a line
    assert list(render_share(small_job(parted), renderer=renderer)) == [(1, 0)]
    assert manifest.read_text() == (whole / "manifest-0.jsonl").read_text()
    assert (parted / "000001/0.jpg").read_bytes() == (whole / "000001/0.jpg").read_bytes()


def test_workers_share_the_job_without_overlap(tmp_path: Path, renderer: Renderer) -> None:
    drawn = [list(render_share(small_job(tmp_path), worker, 2, renderer)) for worker in (0, 1)]
    assert drawn == [[(0, 0)], [(1, 0)]]


def test_a_picture_without_a_face_is_rejected_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renderer: Renderer
) -> None:
    monkeypatch.setattr(dataset.FaceReader, "read", lambda self, rgb: [])
    list(render_share(small_job(tmp_path), renderer=renderer))
    reasons = {record["reason"] for record in read_records(tmp_path / "rejected-0.jsonl")}
    assert reasons == {"dlib finds no face"}
    assert not list(tmp_path.glob("0*"))
    assert list(render_share(small_job(tmp_path), renderer=renderer)) == []


@pytest.mark.usefixtures("renderer")  # skips where it cannot work
def test_the_command_draws_and_writes_a_contact_sheet(tmp_path: Path) -> None:
    arguments = f"render {tmp_path} --identities 1 --views 1 --looks toon,render --size {SIZE_PX}".split()
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "of 1 pictures" in result.output
    records = [json.loads(line) for line in (tmp_path / "manifest-0.jsonl").read_text().splitlines()]
    for sheet in ("contact_sheet.png", "looks.png"):
        assert len(records) == (tmp_path / sheet).exists()


def test_an_unknown_look_is_refused_by_name(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["render", str(tmp_path), "--looks", "gouache"])
    assert result.exit_code == 2
    assert "gouache" in result.output


def test_without_opengl_the_command_names_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise NoGraphicsError(OSError("libEGL.so not loaded"))

    monkeypatch.setattr(gl, "create_context", refuse)
    result = CliRunner().invoke(app, ["render", str(tmp_path), "--identities", "1"])
    assert result.exit_code == 1
    assert all(package in result.output for package in PACKAGES)


def test_a_failing_driver_becomes_the_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    moderngl = pytest.importorskip("moderngl")

    def refuse(**_: object) -> None:
        raise Exception("(detect) glversion: this is what moderngl raises")

    monkeypatch.setattr(moderngl, "create_context", refuse)
    with pytest.raises(NoGraphicsError, match="libegl1"):
        Renderer(64)


def test_contact_sheet_places_pictures_row_by_row() -> None:
    pictures = [np.full((8, 8, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = contact_sheet(pictures, columns=2, cell_px=4)
    assert sheet.shape == (8, 8, 3)
    assert sheet[0, 0, 0] == 10
    assert sheet[0, 4, 0] == 20
    assert sheet[4, 0, 0] == 30
    assert sheet[4, 4, 0] == 0
