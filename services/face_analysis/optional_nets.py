"""Which of the optional nets are installed, and where: part of the composition root."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

from services.face_analysis.adapters.attributes_onnx import OnnxAttributeModel
from services.face_analysis.adapters.fake_nets import FakeMarkModel, FakeQualityModel, FakeStructureModel
from services.face_analysis.adapters.marks_onnx import OnnxMarkModel
from services.face_analysis.adapters.net_file import ATTRIBUTES, MARKS, QUALITY, STRUCTURE, NetKind
from services.face_analysis.adapters.quality_onnx import OnnxQualityModel
from services.face_analysis.adapters.structure_onnx import OnnxStructureModel
from services.face_analysis.domain.backend import ModelFile
from services.face_analysis.domain.nets import MarkModel, QualityModel, StructureModel
from services.face_analysis.engine.analyzer import FaceNets
from services.face_analysis.settings import FaceAnalysisSettings
from shared.telemetry import get_logger

N = TypeVar("N")
Sources: TypeAlias = tuple[Callable[[Path], N], Callable[[], N]]
"""How to open a net from its folder, and how to make its stand-in."""

_log = get_logger("face_analysis")
STARTER_WEIGHTS = Path(__file__).resolve().parents[2] / "starter" / "weights"

_EFFECTS = {
    ATTRIBUTES: "faces carry no attributes",
    STRUCTURE: "dense landmarks and part maps cannot be asked for",
    MARKS: "marks cannot be asked for",
    QUALITY: "faces carry no judged quality",
}


def folder_of(kind: NetKind, settings: FaceAnalysisSettings) -> Path | None:
    """The configured folder of a net; the starter pack's where it lies; otherwise None."""
    configured: Path | None = getattr(settings, f"{kind.name}_folder")
    if configured is not None:
        return configured
    return STARTER_WEIGHTS / kind.name if kind.is_in(STARTER_WEIGHTS / kind.name) else None


def optional_models(settings: FaceAnalysisSettings) -> list[ModelFile]:
    """What callers are told of the nets."""
    return [
        kind.model_file(_is_faked(kind, settings) or folder_of(kind, settings) is not None)
        for kind in _EFFECTS
    ]


def open_nets(settings: FaceAnalysisSettings) -> FaceNets:
    """Load every net that is installed.

    With the fake backend structure, marks and quality are stand-ins too, where no folder is configured.

    Raises:
        ModelMissing: a configured folder lacks its files.
        ValueError: a card does not describe its net.
    """
    structure: Sources[StructureModel] = (OnnxStructureModel, FakeStructureModel)
    marks: Sources[MarkModel] = (OnnxMarkModel, FakeMarkModel)
    quality: Sources[QualityModel] = (OnnxQualityModel, FakeQualityModel)
    return FaceNets(
        attributes=_open(ATTRIBUTES, settings, OnnxAttributeModel),
        structure=_open(STRUCTURE, settings, *structure),
        marks=_open(MARKS, settings, *marks),
        quality=_open(QUALITY, settings, *quality),
    )


def _open(
    kind: NetKind,
    settings: FaceAnalysisSettings,
    from_folder: Callable[[Path], N],
    fake: Callable[[], N] | None = None,
) -> N | None:
    if fake is not None and _is_faked(kind, settings):
        return fake()
    folder = folder_of(kind, settings)
    if folder is None:
        _log.warning("model.absent", model=kind.name, effect=_EFFECTS[kind])
        return None
    return from_folder(folder)


def _is_faked(kind: NetKind, settings: FaceAnalysisSettings) -> bool:
    is_configured = getattr(settings, f"{kind.name}_folder") is not None
    return settings.backend == "fake" and kind is not ATTRIBUTES and not is_configured
