"""Composition root: picks the adapters, builds the engine, hands out the service."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc

from services.diffusion.domain.model import Closing, ModelStore
from services.diffusion.domain.request import GenerationRequest
from services.diffusion.engine.generation import Generation
from services.diffusion.engine.limits import BatchLimits, Threads
from services.diffusion.engine.sweeper import Sweeper
from services.diffusion.servicer import DiffusionServicer
from services.diffusion.settings import DiffusionSettings
from shared.artifacts import ArtifactStore, open_store
from shared.cancellation import CancellationToken
from shared.server import Service, ServiceLimits
from shared.telemetry import get_logger

if TYPE_CHECKING:
    from services.diffusion.adapters.unet_backends import UNetOptions

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
    generation = build_generation(settings, models)
    sweeper = Sweeper(generation, settings.sweep_s)
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
        sweeper.start()

    async def close() -> None:
        await sweeper.close()
        await generation.close()
        if isinstance(models, Closing):
            models.close()

    return Service(
        name=NAME,
        add_to=add_to,
        warm_up=warm_up,
        close=close,
        limits=ServiceLimits.of(settings),
    )


def build_generation(settings: DiffusionSettings, models: ModelStore) -> Generation:
    """The engine with its threads, for whoever needs no gRPC around it; close it when done."""
    limits = BatchLimits(
        settings.max_rows,
        settings.max_active_images,
        settings.max_waiting_images,
        settings.max_decoded_images,
    )
    unet, decode, prepare = (
        ThreadPoolExecutor(1, f"diffusion-{name}") for name in ("unet", "decode", "prepare")
    )
    if settings.backend != "fake":
        import torch

        from services.diffusion.adapters.torch_threads import bound_torch_threads

        # The UNet keeps what it had; the others take a core at most, so that they cannot stall it, and one
        # thread makes their batches exact (see ClipText and VaeCodec).
        side = settings.side_threads
        bound_torch_threads({unet: torch.get_num_threads(), decode: side, prepare: side})
    return Generation(models, limits, Threads(unet, decode, prepare))


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
    return ModelFolders(settings.models, store, limits, _unet_options(settings))


def _unet_options(settings: DiffusionSettings) -> "UNetOptions":
    from services.diffusion.adapters.triton.options import TritonOptions
    from services.diffusion.adapters.unet_backends import UNetOptions

    if settings.backend == "fake":
        raise ValueError("the fake has no options")
    return UNetOptions(
        backend=settings.backend,
        device=settings.device,
        precision=settings.precision,
        thread_count=settings.torch_threads,
        max_mix_rank=settings.max_mix_rank,
        graph_cache=settings.graph_cache,
        compile_torch=settings.torch_compile,
        triton=TritonOptions(
            settings.triton_target,
            settings.triton_model,
            settings.triton_deadline_s,
            settings.triton_shared_memory,
        ),
    )
