"""Composition root of the fusion service: the only place that picks adapters."""

from __future__ import annotations

import asyncio

import grpc
import numpy as np
from likeness.fusion.v1 import fusion_pb2, fusion_pb2_grpc

from services.fusion.domain.face import Face
from services.fusion.domain.fusing import FuseOptions
from services.fusion.engine.engine import FusionEngine, Ports
from services.fusion.engine.requests import FacedPicture
from services.fusion.servicer import FusionServicer
from services.fusion.settings import FusionSettings
from shared.artifacts import ArtifactStore, open_store
from shared.cancellation import CancellationToken
from shared.server import Service, ServiceLimits
from shared.workers import Workers

NAME = fusion_pb2.DESCRIPTOR.services_by_name["FusionService"].full_name


def build_ports(settings: FusionSettings) -> Ports:
    """The adapters that the settings name.

    Raises:
        ModelMissing: an ONNX file that is named is not there.
    """
    if settings.backend == "fake":
        from services.fusion.adapters.fake import FakeEnhancer, FakeInspector, FakeMarks, FakeSwapper

        marks = FakeMarks()
        return Ports(FakeSwapper(), marks, marks, FakeEnhancer(), FakeInspector())
    from services.fusion.adapters.opencv_enhancer import OpenCvEnhancer
    from services.fusion.adapters.opencv_inspector import OpenCvInspector
    from services.fusion.adapters.opencv_marks import OpenCvMarks
    from services.fusion.adapters.opencv_swapper import OpenCvSwapper

    found = OpenCvMarks()
    if settings.enhancer_onnx is None:
        return Ports(OpenCvSwapper(), found, found, OpenCvEnhancer(), OpenCvInspector())
    from services.fusion.adapters.onnx_enhancer import OnnxEnhancer

    return Ports(OpenCvSwapper(), found, found, OnnxEnhancer(settings.enhancer_onnx), OpenCvInspector())


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
        gates=settings.identity_gates,
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
    picture = FacedPicture("warm-up", image, (Face((12, 10, 52, 58), points),))
    await engine.fuse(picture, [picture], FuseOptions(), CancellationToken())
