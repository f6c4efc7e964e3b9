"""Composition root of the stylization service: the only place that picks adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import grpc
import numpy as np
from likeness.stylization.v1 import stylization_pb2, stylization_pb2_grpc

from services.stylization.domain import Translator
from services.stylization.engine.engine import StylizationEngine
from services.stylization.servicer import StylizationServicer
from services.stylization.settings import StylizationSettings
from shared.artifacts import ArtifactStore, open_store
from shared.cancellation import CancellationToken
from shared.errors.common import ModelMissing
from shared.server import Service, ServiceLimits
from shared.workers import Workers

NAME = stylization_pb2.DESCRIPTOR.services_by_name["StylizationService"].full_name


def build_translators(settings: StylizationSettings) -> list[Translator]:
    """The effects that the settings name, ordered by file name.

    Raises:
        ModelMissing: the folder holds no effect, or a net lacks its description.
    """
    if settings.backend == "fake":
        from services.stylization.adapters.fake import FakeTranslator

        return [FakeTranslator()]
    files = sorted(settings.effects_folder.glob("*.onnx"))
    if not files:
        wanted = settings.effects_folder / "toon.onnx"
        raise ModelMissing(file=wanted, licence="Apache-2.0", command="python -m starter.train_stylizer")
    from services.stylization.adapters.onnx_translator import OnnxTranslator

    return [OnnxTranslator(file, longest_px=settings.longest_px) for file in files]


def build(
    settings: StylizationSettings | None = None,
    *,
    translators: Sequence[Translator] | None = None,
    store: ArtifactStore | None = None,
) -> Service:
    """The service, ready to be given to a server; each dependency can be replaced.

    The nets are opened in the warm-up: a missing one ends the start with an error that names it.
    """
    settings = settings or StylizationSettings()
    engine = StylizationEngine(
        Workers(settings.worker_count),
        frames_ahead=settings.frames_ahead,
        steadiness=settings.steadiness,
    )
    servicer = StylizationServicer(engine, store or open_store(settings.artifacts_url))

    def add_to(server: grpc.aio.Server) -> None:
        stylization_pb2_grpc.add_StylizationServiceServicer_to_server(servicer, server)

    async def warm_up() -> None:
        chosen = list(translators or ()) or await asyncio.to_thread(build_translators, settings)
        engine.install(chosen)
        await _draw_once(engine)

    async def close() -> None:
        await asyncio.to_thread(engine.close)

    return Service(
        name=NAME,
        add_to=add_to,
        warm_up=warm_up,
        close=close,
        limits=ServiceLimits.of(settings),
    )


async def _draw_once(engine: StylizationEngine) -> None:
    """Draw one picture in each effect: ONNX Runtime plans its memory on the first run."""
    grey = np.full((256, 256, 3), 128, np.uint8)
    for effect in engine.effects():
        await engine.stylize(grey, effect=effect.name, token=CancellationToken())
