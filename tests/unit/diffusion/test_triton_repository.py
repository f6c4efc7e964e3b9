"""What `likeness export` writes for Triton and TensorRT, without a server: names, shapes, commands."""

import dataclasses
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.packed_lora import PackedLayer
from services.diffusion.adapters.triton.config_text import (
    RepositoryOptions,
    front_config,
    graph_dims,
    plan_config,
)
from services.diffusion.adapters.triton.repository import write_repository
from services.diffusion.adapters.triton.tensorrt import profile, write_tensorrt

GOLDEN = Path(__file__).parents[2] / "golden" / "triton"
OPTIONS = RepositoryOptions(max_rows=8, side_cells=32, context_tokens=77, rank_rows=256, max_rank=64)


@pytest.fixture
def graph(tmp_path: Path) -> UNetGraph:
    """An SDXL-like graph with an IP-Adapter: every input there is. Its ONNX file is only bytes."""
    folder = tmp_path / "graph"
    folder.mkdir()
    layer = PackedLayer("mid.to_q", "lora_attention", "linear", 8, 16, (1, 1), (1, 1), (0, 0), 0)
    conv = PackedLayer("conv_in", "lora_residual", "conv", 4, 8, (3, 3), (1, 1), (1, 1), 0)
    packed = ("lora_attention", "lora_residual")
    found = UNetGraph(
        folder=folder,
        digest="ab" * 32,
        layers=(layer, conv),
        input_names=(
            *("latents", "timesteps", "context", "pooled", "size_ids"),
            *("identity_tokens", "identity_scales", *packed),
        ),
        identity_tokens=4,
        context_width=32,
        latent_channels=9,
        out_channels=4,
        pooled_width=24,
        opset=18,
        exporter="test",
    )
    found.file.write_bytes(b"onnx")
    (folder / "unet.onnx.data").write_bytes(b"weights")
    found.write()
    return found


@pytest.mark.parametrize("name", ["cpu", "cuda", "plan"])
def test_configurations_are_the_golden_ones(graph: UNetGraph, name: str) -> None:
    """Read the difference, then accept it: LIKENESS_UPDATE_GOLDEN=1."""
    on_gpu = dataclasses.replace(OPTIONS, device="cuda:1")
    text = {
        "cpu": lambda: front_config(graph, OPTIONS, None),
        "cuda": lambda: front_config(graph, on_gpu, "unet_plan"),
        "plan": lambda: plan_config(graph, on_gpu, "unet_plan"),
    }[name]()
    file = GOLDEN / f"{name}.pbtxt"
    if os.environ.get("LIKENESS_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    assert text == file.read_text()


@pytest.mark.parametrize("plan", [None, "unet_plan"])
def test_configurations_are_what_triton_reads(graph: UNetGraph, plan: str | None) -> None:
    """Parsed with the server's own message definition: no field is misspelt."""
    pytest.importorskip("tritonclient", reason="no tritonclient; run `make triton-setup`")
    from google.protobuf import text_format
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    front = text_format.Parse(front_config(graph, OPTIONS, plan), ModelConfig())
    behind = text_format.Parse(plan_config(graph, OPTIONS, "unet_plan"), ModelConfig())

    wire = {entry.name: list(entry.dims) for entry in front.input}
    assert set(graph.input_names) | {"adapters", "strengths"} == set(wire)
    assert wire["timesteps"] == [1] and wire["latents"] == [9, -1, -1] and wire["lora_attention"] == [-1, 24]
    assert [entry.name for entry in front.input if not entry.optional] == ["adapters"]
    assert list(front.dynamic_batching.preferred_batch_size) == [4, 8]
    assert front.instance_group[0].count == 1
    assert {entry.name for entry in behind.input} == set(graph.input_names)
    assert [entry.name for entry in behind.input if entry.HasField("reshape")] == [
        "timesteps",
        "identity_scales",
    ]
    assert not behind.HasField("dynamic_batching")
    # A plan may be loaded later than the model in front of it, so each warms up itself.
    assert bool(front.model_warmup) == (plan is None)
    assert [sample.batch_size for sample in behind.model_warmup] == [1]


def test_a_repository_holds_the_code_and_the_graph_and_replaces_an_older_one(
    graph: UNetGraph, tmp_path: Path
) -> None:
    stale = tmp_path / "models" / "unet" / "1" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.touch()

    folder = write_repository(graph, tmp_path / "models", OPTIONS)

    version = folder / "1"
    assert not stale.exists()
    assert {"model.py", "unet.onnx", "unet.onnx.data", "unet.json"} <= {
        file.name for file in version.iterdir()
    }
    assert json.loads((version / "unet.json").read_text())["model_digest"] == graph.digest


def test_the_code_inside_triton_needs_nothing_of_this_project(graph: UNetGraph, tmp_path: Path) -> None:
    """So that a repository works in Triton's container. And no tensor crosses the border through numpy."""
    version = write_repository(graph, tmp_path, OPTIONS) / "1"

    for file in version.glob("*.py"):
        code = file.read_text()
        assert not re.search(r"^\s*(from|import) (services|shared|tests|likeness)\b", code, re.MULTILINE)
        assert "as_numpy(" not in code


def test_the_profile_spans_the_options(graph: UNetGraph) -> None:
    shapes = {
        edge: dict(part.split(":") for part in text.split(","))
        for edge, text in profile(graph, OPTIONS).items()
    }

    assert [shapes[edge]["latents"] for edge in ("min", "opt", "max")] == [
        "1x9x16x16",
        "8x9x32x32",
        "8x9x48x48",
    ]
    assert [shapes[edge]["lora_attention"] for edge in ("min", "opt", "max")] == [
        "1x4x24",
        "8x16x24",
        "8x64x24",
    ]
    assert [shapes[edge]["lora_residual"] for edge in ("min", "opt", "max")] == [
        "1x4x44",
        "8x4x44",
        "8x64x44",
    ]
    assert [shapes[edge]["timesteps"] for edge in ("min", "opt", "max")] == ["1", "8", "8"]
    assert all(set(shapes[edge]) == set(graph_dims(graph)) for edge in shapes)


def test_the_build_script_calls_trtexec_with_every_input(graph: UNetGraph, tmp_path: Path) -> None:
    """The script is run here with a stand-in for trtexec that writes down its arguments."""
    place = tmp_path / "export"
    models = write_tensorrt(graph, place, OPTIONS)
    trtexec = tmp_path / "trtexec"
    trtexec.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$SEEN"\n')
    trtexec.chmod(0o755)

    environment = os.environ | {"TRTEXEC": str(trtexec), "SEEN": str(tmp_path / "seen")}
    subprocess.run([place / "build.sh", "--verbose"], check=True, env=environment, cwd="/")

    seen = (tmp_path / "seen").read_text().splitlines()
    [onnx], [plan] = (
        [a.partition("=")[2] for a in seen if a.startswith(o)] for o in ("--onnx", "--saveEngine")
    )
    assert (place / onnx).read_bytes() == b"onnx"
    assert (place / plan).parent.is_dir() and (place / plan).parent == models / "unet_plan" / "1"
    for edge, option in (("min", "--minShapes"), ("opt", "--optShapes"), ("max", "--maxShapes")):
        assert f"{option}={profile(graph, OPTIONS)[edge]}" in seen
    assert "--fp16" in seen and seen[-1] == "--verbose"


def test_the_notes_say_what_was_not_run(graph: UNetGraph, tmp_path: Path) -> None:
    place = tmp_path / "export"
    write_tensorrt(graph, place, OPTIONS)

    for name in ("BUILD.md", "build.sh", "models/unet_plan/config.pbtxt"):
        assert "Not run where it was written" in (place / name).read_text()
    # Held once: what TensorRT reads; the models have the description only.
    assert not list((place / "models").rglob("*.onnx*"))
