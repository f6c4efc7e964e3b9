"""The composition root: picks the adapters, builds the use cases, returns the service."""

from collections.abc import Callable
from functools import cache

from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc

from services.face_analysis.adapters.dlib_backend import DlibBackend
from services.face_analysis.adapters.fake import FakeBackend
from services.face_analysis.adapters.insightface import open_insightface
from services.face_analysis.domain.backend import FaceBackend
from services.face_analysis.domain.rules import CurationRules
from services.face_analysis.engine.analyzer import FaceAnalyzer, FaceNets
from services.face_analysis.engine.face_analysis import FaceAnalysis
from services.face_analysis.engine.pool import AnalyzerPool
from services.face_analysis.optional_nets import open_nets, optional_models
from services.face_analysis.servicer import FaceAnalysisServicer
from services.face_analysis.settings import FaceAnalysisSettings
from shared.artifacts import ArtifactStore, open_store
from shared.errors.common import ModelMissing
from shared.server import Service, ServiceLimits
from shared.telemetry import get_logger

_log = get_logger("face_analysis")
_NAME = face_analysis_pb2.DESCRIPTOR.services_by_name["FaceAnalysisService"].full_name

BackendFactory = Callable[[], FaceBackend]


def build(
    settings: FaceAnalysisSettings | None = None,
    *,
    store: ArtifactStore | None = None,
    backend_factory: BackendFactory | None = None,
    rules: CurationRules | None = None,
) -> Service:
    """The face analysis service; every dependency can be replaced.

    Nothing is loaded yet: warm_up does, and raises ModelMissing when a configured model is absent.
    """
    settings = settings or FaceAnalysisSettings()
    pool = AnalyzerPool(
        _analyzer_factory(settings, backend_factory),
        workers=settings.worker_count,
        max_waiting=settings.max_waiting_images,
    )
    analysis = FaceAnalysis(
        pool,
        store or open_store(settings.artifacts_url),
        rules or CurationRules(),
        optional_models(settings),
    )
    servicer = FaceAnalysisServicer(analysis)

    async def warm_up() -> None:
        await pool.warm_up()
        for file in pool.info.models:
            _log.info("model.in_use", model=file.name, purpose=file.purpose, licence=file.licence)

    async def close() -> None:
        pool.close()

    return Service(
        name=_NAME,
        add_to=lambda server: face_analysis_pb2_grpc.add_FaceAnalysisServiceServicer_to_server(
            servicer, server
        ),
        warm_up=warm_up,
        close=close,
        limits=ServiceLimits.of(settings),
    )


def backend_factory_of(settings: FaceAnalysisSettings) -> BackendFactory:
    """What builds one backend per worker. Raises ModelMissing when an insightface file is absent."""
    if settings.backend == "fake":
        return FakeBackend
    if settings.backend == "dlib":
        return lambda: DlibBackend(domain=settings.domain, detection_side_px=settings.detection_side_px)
    return _insightface_factory(settings)


def _analyzer_factory(
    settings: FaceAnalysisSettings, backend_factory: BackendFactory | None
) -> Callable[[], FaceAnalyzer]:
    """Builds one analyzer per worker; the first call loads what all of them share."""

    @cache
    def shared() -> tuple[BackendFactory, FaceNets]:
        return backend_factory or backend_factory_of(settings), open_nets(settings)

    def new_analyzer() -> FaceAnalyzer:
        new_backend, nets = shared()
        return FaceAnalyzer(new_backend(), nets, tries_rotations=settings.tries_rotations)

    return new_analyzer


def _insightface_factory(settings: FaceAnalysisSettings) -> BackendFactory:
    detector, recogniser = settings.insightface_detector, settings.insightface_recogniser
    for field, path in (("detector", detector), ("recogniser", recogniser)):
        if path is None:
            variable = f"LIKENESS_FACE_ANALYSIS_INSIGHTFACE_{field.upper()}"
            raise ModelMissing(
                file=f"insightface {field}",
                licence="non-commercial unless bought",
                command=f"export {variable}=/path/to/file.onnx",
            )
    assert detector is not None and recogniser is not None
    # ONNX Runtime sessions may be shared between threads, so all workers use one.
    shared = open_insightface(
        detector,
        recogniser,
        same_person_similarity=settings.insightface_same_person_similarity,
        same_set_similarity=settings.insightface_same_set_similarity,
        half_range=settings.insightface_half_range,
    )
    _log.warning("model.licence", backend="insightface", licence=shared.info.models[0].licence)
    return lambda: shared
