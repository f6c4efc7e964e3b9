"""`likeness doctor`: hardware, backends, models and licences, and what is missing."""

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc
from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc
from rich.markup import escape
from rich.table import Table

from cli.connection import console
from cli.errors import EXIT_REFUSED, reported_errors

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "starter" / "weights"
CALL_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `is_required` decides whether its absence is a fault."""

    topic: str
    name: str
    is_there: bool
    note: str
    is_required: bool = True


def doctor(
    server: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Also ask a running server.", envvar="LIKENESS_SERVER"),
    ] = None,
) -> None:
    """Check hardware, packages, models and licences; say what is missing and what helps.

    Exits with status 1 where something that the services need is missing.
    """
    findings = [*machine(), *packages(), *models()]
    table = Table("", "", "", "", box=None, show_header=False, pad_edge=False)
    topic = ""
    for found in findings:
        mark = (
            "[green]ok[/]" if found.is_there else "[red]missing[/]" if found.is_required else "[dim]absent[/]"
        )
        table.add_row(found.topic if found.topic != topic else "", found.name, mark, escape(found.note))
        topic = found.topic
    console.print(table)
    if server:
        with reported_errors(console, lambda: server):
            show_server(server)
    missing = [found.name for found in findings if found.is_required and not found.is_there]
    if missing:
        console.print(f"[red]Missing:[/] {', '.join(missing)}")
        sys.exit(EXIT_REFUSED)


def machine() -> Iterator[Finding]:
    """Yields what is known of the processor, the memory and the GPU."""
    flags = read_processor_flags()
    helpful = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield Finding("machine", f"{cores} cores", True, " ".join(helpful) or "no vector extensions known")
    yield Finding(
        "machine", f"{memory_gib:.0f} GiB memory", memory_gib >= 3.5, "the starter pack needs about 3 GiB"
    )
    has_gpu = shutil.which("nvidia-smi") is not None
    yield Finding(
        "machine", "NVIDIA GPU", has_gpu, "found" if has_gpu else "none: everything runs on the CPU", False
    )


def read_processor_flags() -> set[str]:
    """Returns the processor's feature flags; empty where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())


PACKAGES = {
    "torch": ("UNet and VAE, training", True, ""),
    "onnxruntime": ("small nets", True, ""),
    "dlib": ("face detector and embedder", True, "pip install dlib-bin"),
    "face_recognition_models": ("dlib's weights (CC0)", True, "pip install face-recognition-models"),
    "insightface": ("second face backend; weights non-commercial", False, 'pip install ".[insightface]"'),
    "tritonclient": ("UNet on a Triton server", False, 'pip install ".[triton]"'),
    "moderngl": ("rendering the starter pack's heads", False, 'pip install ".[starter]"'),
    "locust": ("load tests", False, 'pip install ".[load]"'),
}


def packages() -> Iterator[Finding]:
    """Yields which packages are installed, in which version."""
    by_module = importlib.metadata.packages_distributions()
    for module, (purpose, is_required, remedy) in PACKAGES.items():
        is_there = importlib.util.find_spec(module) is not None
        version = importlib.metadata.version(by_module[module][0]) if is_there and module in by_module else ""
        note = f"{purpose}" if is_there or not remedy else f"{purpose}: {remedy}"
        yield Finding("packages", f"{module} {version}".strip(), is_there, note, is_required)


MODELS = {
    "model_index.json": ("base model", "Apache-2.0, trained on CC0 renders", True),
    "unet": ("UNet", "Apache-2.0, trained on CC0 renders", True),
    "vae": ("image coder", "Apache-2.0, trained on CC0 renders", True),
    "text_encoder": ("text encoder", "Apache-2.0, trained on CC0 renders", True),
    "ip_adapter.safetensors": ("identity tokens", "Apache-2.0, trained on CC0 renders", True),
    "attributes/attributes.onnx": ("face attributes", "Apache-2.0, trained on CC0 renders", False),
    "structure/structure.onnx": ("landmarks and parts of faces", "Apache-2.0, trained on CC0 renders", False),
    "marks/marks.onnx": ("moles, freckles, scars", "Apache-2.0, trained on CC0 renders", False),
    "quality/quality.onnx": ("quality of face pictures", "Apache-2.0, trained on CC0 renders", False),
    "stylizer/toon.onnx": ("toon effect", "Apache-2.0, trained on CC0 renders", False),
}


def models() -> Iterator[Finding]:
    """Yields which models of the starter pack are there, with their licences."""
    for name, (purpose, licence, is_required) in MODELS.items():
        path = WEIGHTS / name
        note = (
            f"{purpose}; {licence}"
            if path.exists()
            else f"{purpose}: check out starter/weights with the repository"
        )
        yield Finding("models", name, path.exists(), note, is_required)
    for path in sorted((WEIGHTS / "adapters").glob("*.safetensors")):
        yield Finding("models", f"adapters/{path.name}", True, "style adapter; Apache-2.0", False)


def feature_name(number: int) -> str:
    """Returns a feature's word, such as "structure"."""
    return face_analysis_pb2.FaceFeature.Name(number).removeprefix("FACE_FEATURE_").lower()


def show_server(target: str) -> None:
    """Prints what a running server says of itself: health, face backend, diffusion models."""
    with grpc.insecure_channel(target) as channel:
        check = health_pb2.HealthCheckRequest()
        health = health_pb2_grpc.HealthStub(channel).Check(check, timeout=CALL_TIMEOUT_S)
        word = health_pb2.HealthCheckResponse.ServingStatus.Name(health.status)
        console.print(f"\n[bold]{target}[/] {word}")
        faces = face_analysis_pb2_grpc.FaceAnalysisServiceStub(channel)
        backend = faces.GetBackend(face_analysis_pb2.GetBackendRequest(), timeout=CALL_TIMEOUT_S)
        for known in backend.models:
            state = "ok" if known.is_available else f"missing: {known.remedy}"
            console.print(
                f"  face analysis ({backend.backend}): {known.name}, {known.licence}, {escape(state)}"
            )
        features = ", ".join(sorted(feature_name(number) for number in backend.features)) or "none"
        console.print(f"  faces are compared by {backend.comparison_model}; features on request: {features}")
        diffusion = diffusion_pb2_grpc.DiffusionServiceStub(channel)
        listed = diffusion.ListModels(diffusion_pb2.ListModelsRequest(), timeout=CALL_TIMEOUT_S)
        for model in listed.models:
            words = f"{model.name} on {model.backend}, {model.licence}, digest {model.digest[:12]}"
            console.print(f"  diffusion: {escape(words)}")
