"""Composition root of the fusion service: the only place that picks adapters."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import numpy as np
from likeness.fusion.v1 import fusion_pb2, fusion_pb2_grpc

from services.fusion.adapters.gate_file import load_gates
from services.fusion.domain.face import Face, Image
from services.fusion.domain.fusing import FuseOptions
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.ports import Enhancer, FaceSwapper
from services.fusion.engine.engine import FusionEngine, Ports
from services.fusion.engine.gating import Gates
from services.fusion.engine.people import Person, TemplatePhoto
from services.fusion.servicer import FusionServicer
from services.fusion.settings import FusionSettings
from shared.artifacts import ArtifactStore, open_store
from shared.cancellation import CancellationToken
from shared.server import Service, ServiceLimits
from shared.telemetry import get_logger
from shared.workers import Workers

NAME = fusion_pb2.DESCRIPTOR.services_by_name["FusionService"].full_name
_STARTER_WEIGHTS = Path(__file__).resolve().parents[2] / "starter" / "weights"
_log = get_logger("fusion")


def build_ports(settings: FusionSettings) -> Ports:
    """The adapters that the settings name.

    Raises:
        ModelMissing: an ONNX file that is named is not there.
    """
    if settings.backend == "fake":
        from services.fusion.adapters.fake import (
            FakeEnhancer,
            FakeInspector,
            FakeMarks,
            FakeSwapper,
            FakeTexture,
        )

        marks = FakeMarks()
        return Ports(
            FakeSwapper(), marks, marks, FakeTexture(), FakeEnhancer(), FakeEnhancer(2), FakeInspector()
        )
    from services.fusion.adapters.opencv_inspector import OpenCvInspector
    from services.fusion.adapters.opencv_marks import OpenCvMarks
    from services.fusion.adapters.opencv_texture import OpenCvTexture

    found = OpenCvMarks()
    enhancer, upscaler = build_enhancer(settings), build_upscaler(settings)
    return Ports(
        build_swapper(settings), found, found, OpenCvTexture(), enhancer, upscaler, OpenCvInspector()
    )


def build_swapper(settings: FusionSettings) -> FaceSwapper:
    """What joins two faces: the net that is named, else the landmark-aligned fusion."""
    if settings.swapper_onnx is not None:
        from services.fusion.adapters.onnx_swapper import OnnxSwapper

        return OnnxSwapper(settings.swapper_onnx)
    from services.fusion.adapters.opencv_swapper import OpenCvSwapper

    return OpenCvSwapper()


def build_enhancer(settings: FusionSettings) -> Enhancer:
    """What cleans pictures: the file that is named, else the starter pack's net, else the classical one."""
    return _enhancer("enhancer", 1, settings.enhancer_onnx, settings.enhancer_folder)


def build_upscaler(settings: FusionSettings) -> Enhancer:
    """What enlarges pictures twice, chosen alike."""
    return _enhancer("upscaler", 2, settings.upscaler_onnx, settings.upscaler_folder)


def _enhancer(net: str, scale: int, file: Path | None, folder: Path | None) -> Enhancer:
    from services.fusion.adapters.onnx_enhancer import OnnxEnhancer

    if file is not None:
        return OnnxEnhancer(file, scale=scale)
    starter = (folder or _STARTER_WEIGHTS / net) / f"{net}.onnx"
    if folder is not None or starter.is_file():
        return OnnxEnhancer(starter, scale=scale, name="starter")
    from services.fusion.adapters.opencv_enhancer import OpenCvEnhancer

    _log.warning("model.absent", model=net, effect="classical image processing takes its place")
    return OpenCvEnhancer(scale)


def build(
    settings: FusionSettings | None = None,
    *,
    ports: Ports | None = None,
    store: ArtifactStore | None = None,
) -> Service:
    """The service, ready to be given to a server; each dependency can be replaced."""
    settings = settings or FusionSettings()
    engine = FusionEngine(
        ports or build_ports(settings),
        Workers(settings.worker_count),
        gates=Gates(load_gates(settings.gates_file), settings.identity_gates),
        rank_defaults={
            "min_face_px": float(settings.min_face_px),
            "duplicate_similarity": settings.duplicate_similarity,
        },
    )
    servicer = FusionServicer(engine, store or open_store(settings.artifacts_url))

    def add_to(server: grpc.aio.Server) -> None:
        fusion_pb2_grpc.add_FusionServiceServicer_to_server(servicer, server)

    async def close() -> None:
        await asyncio.to_thread(engine.close)

    return Service(
        name=NAME,
        add_to=add_to,
        warm_up=lambda: _warm_up(engine),
        close=close,
        limits=ServiceLimits.of(settings),
    )


async def _warm_up(engine: FusionEngine) -> None:
    """One fusion of a drawn face with itself: OpenCV builds its tables on first use."""
    points = np.array([(24, 26), (40, 26), (32, 35), (26, 44), (38, 44)], np.float32)
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    found = FacesOfPicture("warm-up", (Face((12, 10, 52, 58), points),))

    async def read() -> Image:
        return image

    person = Person("", None, (TemplatePhoto(found, None, read),))
    await engine.fuse(image, found, [person], FuseOptions(), CancellationToken())
