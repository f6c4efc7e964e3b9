"""Composition root: picks the adapters, builds the engine, hands out the service."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc

from services.diffusion.domain.model import ModelStore
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.engine.denoiser import BatchLimits, Threads
from services.diffusion.engine.generation import Generation
from services.diffusion.servicer import DiffusionServicer
from services.diffusion.settings import DiffusionSettings
from shared.artifacts import ArtifactStore, open_store
from shared.cancellation import CancellationToken
from shared.server import Service, ServiceLimits
from shared.telemetry import get_logger

NAME = diffusion_pb2.DESCRIPTOR.services_by_name["DiffusionService"].full_name
_log = get_logger(__name__)


def build(
    settings: DiffusionSettings | None = None,
    *,
    store: ArtifactStore | None = None,
    models: ModelStore | None = None,
) -> Service:
    """The diffusion service; each dependency can be replaced (tests and load runs pass FakeModels)."""
    settings = settings or DiffusionSettings()
    store = store or open_store(settings.artifacts_url)
    models = models or build_models(settings, store)
    limits = BatchLimits(settings.max_rows, settings.max_active_images, settings.max_waiting_images)
    threads = Threads(*(ThreadPoolExecutor(1, f"diffusion-{name}") for name in ("unet", "decode", "prepare")))
    generation = Generation(models, limits, threads)
    servicer = DiffusionServicer(generation, store)

    def add_to(server: grpc.aio.Server) -> None:
        diffusion_pb2_grpc.add_DiffusionServiceServicer_to_server(servicer, server)

    async def warm_up() -> None:
        """Load every model and make one tiny picture with each. Raises: ModelMissing and its like."""
        for model in await generation.models():
            request = GenerationRequest(prompt="", model=model.info.name, step_count=1, guidance_scale=1.0)
            async for _ in generation.generate(request, tenant="default", token=CancellationToken()):
                pass
            _log.info("diffusion.model_ready", model=model.info.name, backend=model.unet.description)

    return Service(
        name=NAME,
        add_to=add_to,
        warm_up=warm_up,
        close=generation.close,
        limits=ServiceLimits.of(settings),
    )


def build_models(settings: DiffusionSettings, store: ArtifactStore) -> ModelStore:
    """The models that the settings name; nothing is loaded yet."""
    if settings.backend == "fake":
        from services.diffusion.adapters.fake import FakeModels

        return FakeModels()
    # Here and not above: torch takes seconds to import, and the fake needs none of it.
    import torch

    from services.diffusion.adapters.model_folders import AdapterLimits, ModelFolders

    if settings.torch_threads is not None:
        torch.set_num_threads(settings.torch_threads)
    _log.info("diffusion.threads", torch_threads=torch.get_num_threads())
    limits = AdapterLimits(settings.max_adapter_rank, settings.adapter_cache_bytes)
    return ModelFolders(settings.models, store, limits, settings.device)
