"""Composition root: settings to a service that a server can run."""

from __future__ import annotations

import grpc
from likeness.lora_training.v1 import lora_training_pb2 as pb
from likeness.lora_training.v1 import lora_training_pb2_grpc as pb_grpc

from services.lora_training.adapters.file_job_store import FileJobStore
from services.lora_training.adapters.model_folders import ModelFolders
from services.lora_training.adapters.worker_process import ProcessLauncher
from services.lora_training.domain.ports import JobStore, ModelCatalogue, WorkerLauncher
from services.lora_training.engine.intake import Intake, StartRule
from services.lora_training.engine.registry import JobRegistry
from services.lora_training.engine.runner import Runner
from services.lora_training.engine.training_jobs import TrainingJobs
from services.lora_training.servicer import LoraTrainingServicer
from services.lora_training.settings import LoraTrainingSettings
from shared.artifacts import ArtifactStore, open_store
from shared.server import Service, ServiceLimits


def build_service(
    settings: LoraTrainingSettings,
    *,
    launcher: WorkerLauncher | None = None,
    models: ModelCatalogue | None = None,
    artifacts: ArtifactStore | None = None,
    store: JobStore | None = None,
) -> Service:
    """Return the service; each dependency can be replaced, otherwise the settings decide.

    Its warm-up fails with MODEL_MISSING where the default base model is not installed.
    """
    artifacts = artifacts or open_store(settings.artifacts_url)
    store = store or FileJobStore(settings.state_folder)
    launcher = launcher or ProcessLauncher(settings.worker_thread_count, settings.worker_nice)
    models = models or ModelFolders(settings.models, settings.model_licence, settings.model_command)
    registry = JobRegistry(settings.heartbeat_s)
    runner = Runner(registry, store, launcher, models, artifacts, settings.worker_count)
    start = StartRule(settings.initial_adapter, settings.initial_adapter_photos)
    intake = Intake(models, artifacts, settings.recipe_defaults(), start)
    jobs = TrainingJobs(registry, store, intake, runner, artifacts, settings.queue_limit)

    def add_to(server: grpc.aio.Server) -> None:
        pb_grpc.add_LoraTrainingServiceServicer_to_server(LoraTrainingServicer(jobs), server)

    async def warm_up() -> None:
        models.find("")
        await jobs.start()

    return Service(
        name=pb.DESCRIPTOR.services_by_name["LoraTrainingService"].full_name,
        add_to=add_to,
        warm_up=warm_up,
        close=jobs.stop,
        on_drain=jobs.drain,
        limits=ServiceLimits.of(settings),
    )
