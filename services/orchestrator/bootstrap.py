"""Composition root: picks the adapters, builds the use cases, returns the service."""

import asyncio
from collections.abc import Callable

import grpc
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import orchestrator_pb2_grpc as pb_grpc

from services.orchestrator.adapters.artifacts import LinkedArtifacts
from services.orchestrator.adapters.clients.diffusion import GrpcDiffusion
from services.orchestrator.adapters.clients.face_analysis import GrpcFaceAnalysis
from services.orchestrator.adapters.clients.fusion import GrpcFusion
from services.orchestrator.adapters.clients.stylization import GrpcStylization
from services.orchestrator.adapters.clients.training import GrpcTraining
from services.orchestrator.adapters.dbos_engine import DbosEngine
from services.orchestrator.adapters.pictures import PillowTools
from services.orchestrator.adapters.request_pictures import RequestPictures
from services.orchestrator.adapters.sql_store import SqlStore
from services.orchestrator.adapters.style_files import StyleFolder
from services.orchestrator.adapters.tables import open_database
from services.orchestrator.engine.cancels import Cancels
from services.orchestrator.engine.desk import Desk
from services.orchestrator.engine.gallery import Gallery
from services.orchestrator.engine.hub import Hub
from services.orchestrator.engine.identities import IdentityDesk
from services.orchestrator.engine.portraits import PortraitDesk
from services.orchestrator.engine.sweep import sweep
from services.orchestrator.engine.tools import Limits, Tools
from services.orchestrator.engine.uploads import UploadDesk
from services.orchestrator.engine.workflow import PortraitWorkflow
from services.orchestrator.servicer import OrchestratorServicer
from services.orchestrator.settings import OrchestratorSettings
from shared.artifacts import ArtifactStore, open_store
from shared.channels import open_channel
from shared.server import Service, ServiceLimits

NAME = pb.DESCRIPTOR.services_by_name["OrchestratorService"].full_name
_SERVICES = {
    "face_analysis": "likeness.face_analysis.v1.FaceAnalysisService",
    "lora_training": "likeness.lora_training.v1.LoraTrainingService",
    "diffusion": "likeness.diffusion.v1.DiffusionService",
    "fusion": "likeness.fusion.v1.FusionService",
    "stylization": "likeness.stylization.v1.StylizationService",
}


def build(settings: OrchestratorSettings | None = None, *, blobs: ArtifactStore | None = None) -> Service:
    """The orchestrator, ready to be given to a server; unfinished portraits go on at its warm-up.

    Raises:
        ValueError: A style file does not fit the schema.
    """
    settings = settings or OrchestratorSettings()
    app = _App(settings, blobs or open_store(settings.artifacts_url))

    def add_to(server: grpc.aio.Server) -> None:
        pb_grpc.add_OrchestratorServiceServicer_to_server(OrchestratorServicer(app.desk), server)

    return Service(
        name=NAME,
        add_to=add_to,
        warm_up=app.start,
        close=app.stop,
        on_drain=app.drain,
        limits=ServiceLimits.of(settings),
    )


class _App:
    """The parts of a running orchestrator and their life cycle."""

    def __init__(self, settings: OrchestratorSettings, blobs: ArtifactStore) -> None:
        self._settings = settings
        self._channels: list[grpc.aio.Channel] = []
        self._store = SqlStore(open_database(settings.database_url))
        self._styles = StyleFolder(settings.styles_folder)
        self._tools = self._build_tools(blobs)
        self._engine = DbosEngine(
            PortraitWorkflow(self._tools), settings.workflow_database_url, settings.replica_name
        )
        self._stopping: asyncio.Task[None] | None = None
        portraits = PortraitDesk(self._tools, self._engine)
        identities = IdentityDesk(self._tools, portraits)
        self.desk = Desk(
            tools=self._tools,
            identities=identities,
            uploads=UploadDesk(identities, settings.max_upload_bytes),
            portraits=portraits,
            gallery=Gallery(self._tools),
            reader=RequestPictures(blobs),
        )

    async def start(self) -> None:
        """Recover: sweep what a crash left over, go on with unfinished portraits."""
        if self._settings.sweep_at_start:
            await sweep(self._tools)
        await self._engine.start()
        await self.desk.portraits.resume_all()

    def drain(self) -> None:
        """End watches and stop working at once: what is at work goes on at the next start."""
        self._tools.hub.drain()
        self._stopping = asyncio.ensure_future(self._engine.stop())

    async def stop(self) -> None:
        """Stop, and close channels and database."""
        await (self._stopping or self._engine.stop())
        for channel in self._channels:
            await channel.close()
        self._store.close()

    def _build_tools(self, blobs: ArtifactStore) -> Tools:
        settings, store = self._settings, self._store

        async def is_cancel_requested(tenant: str, portrait_id: str) -> bool:
            return await asyncio.to_thread(store.is_cancel_requested, tenant, portrait_id)

        patience_s = settings.patience_s
        return Tools(
            store=store,
            artifacts=LinkedArtifacts(blobs, store),
            pictures=PillowTools(),
            styles=self._styles,
            face_analysis=GrpcFaceAnalysis(self._channel("face_analysis"), patience_s),
            training=GrpcTraining(self._channel("lora_training"), patience_s),
            diffusion=GrpcDiffusion(self._channel("diffusion"), blobs, patience_s),
            fusion=GrpcFusion(self._channel("fusion"), blobs, patience_s),
            stylization=GrpcStylization(self._channel("stylization"), blobs, patience_s),
            hub=Hub(),
            cancels=Cancels(is_cancel_requested),
            limits=Limits(
                stage_timeout_s=settings.stage_timeout_s,
                max_active_portraits=settings.max_active_portraits,
                max_running_portraits=settings.max_running_portraits,
                max_upload_bytes=settings.max_upload_bytes,
                preview_interval_steps=settings.preview_interval_steps,
                heartbeat_s=settings.heartbeat_s,
                false_accept_rate=settings.false_accept_rate,
            ),
        )

    def _channel(self, service: str) -> Callable[[], grpc.aio.Channel]:
        target = getattr(self._settings, f"{service}_target")

        def open_now() -> grpc.aio.Channel:
            channel = open_channel(
                target, [_SERVICES[service]], max_message_bytes=self._settings.max_message_bytes
            )
            self._channels.append(channel)
            return channel

        return open_now
