"""The cache of exported graphs: one export per model, whole files only, never another model's graph."""

import json
import multiprocessing
from pathlib import Path

import pytest

from services.diffusion import export
from services.diffusion.adapters.graph.cache import SHIPPED_FOLDER, cached_graph
from services.diffusion.adapters.graph.sidecar import SIDECAR_FILE, VARIANTS, read_graph
from services.diffusion.adapters.graph.unet import lora_layout
from shared.sdmodels import ModelUnsupported, load_unet, open_model_folder
from tests.support.tiny_sd import TinySd, make_tiny_sd


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("graphs") / "tiny")


@pytest.fixture(scope="module")
def cache(tiny: Path) -> Path:
    """A cache that two processes filled at the same time."""
    place = tiny.parent / "cache"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_export_in_process, args=(tiny, place)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0, 0]
    return place


def _export_in_process(tiny: Path, place: Path) -> None:
    cached_graph(open_model_folder(tiny), place)


def test_two_processes_leave_one_whole_graph(tiny: Path, cache: Path) -> None:
    (folder,) = cache.iterdir()
    names = {"unet.json", "unet.onnx.data", *(variant.file_name for variant in VARIANTS)}
    assert {file.name for file in folder.iterdir()} == names
    assert (folder / "unet.onnx.data").stat().st_mode & 0o444 == 0o444


def test_a_cached_graph_is_not_made_again(tiny: Path, cache: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in cache.rglob("*")}

    graph = cached_graph(open_model_folder(tiny), cache)

    assert graph.digest == graph.folder.name
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*")} == before


def test_the_sidecar_lists_every_layer_that_torch_would_change(tiny: Path, cache: Path) -> None:
    graph = cached_graph(open_model_folder(tiny), cache)
    layout = lora_layout(load_unet(open_model_folder(tiny)))

    assert graph.layers == layout.layers
    assert graph.layout.widths == layout.widths
    assert graph.identity_tokens == 4


def test_a_graph_in_the_model_folder_is_preferred_unless_its_weights_are_others(
    tiny: Path, cache: Path, tmp_path: Path
) -> None:
    (made,) = cache.iterdir()
    shipped = tiny / SHIPPED_FOLDER
    shipped.symlink_to(made)
    try:
        assert cached_graph(open_model_folder(tiny), tmp_path / "unused").folder == shipped
        content = json.loads((made / SIDECAR_FILE).read_text())
        shipped.unlink()
        shipped.mkdir()
        (shipped / SIDECAR_FILE).write_text(json.dumps(content | {"model_digest": "0" * 64}))
        (shipped / "unet.onnx").write_bytes(b"of other weights")
        assert cached_graph(open_model_folder(tiny), cache).folder == made
    finally:
        (shipped / SIDECAR_FILE).unlink(missing_ok=True)
        (shipped / "unet.onnx").unlink(missing_ok=True)
        shipped.rmdir()


def test_a_graph_of_another_format_is_not_read(cache: Path, tmp_path: Path) -> None:
    (made,) = cache.iterdir()
    content = json.loads((made / SIDECAR_FILE).read_text())
    (tmp_path / "unet.onnx").write_bytes(b"")
    (tmp_path / SIDECAR_FILE).write_text(json.dumps(content | {"format_version": 1}))

    assert read_graph(tmp_path) is None


def test_a_unet_with_blocks_that_the_graph_lacks_is_refused(tmp_path: Path) -> None:
    folder = make_tiny_sd(tmp_path / "other", TinySd(ip_adapter=False))
    config = json.loads((folder / "unet" / "config.json").read_text())
    config["down_block_types"][0] = "AttnDownBlock2D"
    (folder / "unet" / "config.json").write_text(json.dumps(config))

    with pytest.raises(ModelUnsupported, match="AttnDownBlock2D"):
        cached_graph(open_model_folder(folder), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_command_writes_where_it_says(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "graph"

    assert export.main(["--model", str(tiny), "--target", "onnx", "--out", str(out)]) == 0

    assert capsys.readouterr().out.strip() == str(out)
    assert read_graph(out) is not None


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert export.main(["--model", str(tmp_path / "nothing")]) == 1

    assert "model_index.json" in capsys.readouterr().err
