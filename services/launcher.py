"""All services in one process on one port, or some of them: what `likeness serve` runs.

The same servicers and stubs as in a cluster: the orchestrator calls the other services through the port that
they share with it.
"""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.threads import apply_thread_defaults

if TYPE_CHECKING:
    from shared.server import Service

STATE_VARIABLE = "LIKENESS_STATE_DIR"
_TARGETS = ("face_analysis", "lora_training", "diffusion", "fusion", "stylization")


def run(
    *,
    host: str = "127.0.0.1",
    port: int = 50051,
    only: Sequence[str] = (),
    metrics_port: int | None = None,
    ready_file: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Each service reads its own settings from the environment. Where LIKENESS_STATE_DIR is set, artifacts, jobs
    and records lie below it, except what a service's own variable places elsewhere.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        only: Names of the services to run; empty runs all. An orchestrator without the others calls those
        that its
            settings name.
        metrics_port: Port for Prometheus; None has none.
        ready_file: Gets the port once everything is warm.

    Raises:
        ValueError: An unknown service.
        SystemExit: The server ended with a status other than 0; or a model is missing: the text names file,
            licence and command.
    """
    names = list(dict.fromkeys(only)) or list(_BUILDERS)
    if unknown := [name for name in names if name not in _BUILDERS]:
        raise ValueError(f"Unknown service {', '.join(unknown)}; known are {', '.join(_BUILDERS)}.")
    # Before any service loads a library that reads the variables.
    apply_thread_defaults()
    from shared.errors import LikenessError
    from shared.server import LikenessServer, run_server
    from shared.settings import ServerSettings

    class Announcing(LikenessServer):
        """Says where it listens once it is warm."""

        async def warm_up(self) -> None:
            await super().warm_up()
            if ready_file is not None:
                _write_at_once(ready_file, str(self.port))

    # The orchestrator's channels need the number before the server has bound it.
    port = port or free_port(host)
    settings = ServerSettings(host=host, port=port, metrics_port=metrics_port)
    try:
        services = build_services(names, port)
    except LikenessError as error:
        raise SystemExit(error.message) from error
    if status := run_server(Announcing(services, settings)):
        raise SystemExit(status)


def build_services(names: Sequence[str], port: int) -> "list[Service]":
    """Build services for one process that listens on this port.

    The orchestrator comes last: it warms up when the others are warm, and stops before they do.
    """
    ordered = sorted(names, key=list(_BUILDERS).index)
    state = os.environ.get(STATE_VARIABLE)
    return [_BUILDERS[name](Path(state) if state else None, ordered, port) for name in ordered]


def free_port(host: str) -> int:
    """Return a port of this host that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _placed(service: str, places: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings that the environment does not set itself."""
    prefix = f"LIKENESS_{service.upper()}_"
    return {name: place for name, place in places.items() if prefix + name.upper() not in os.environ}


def _artifacts(state: Path | None) -> dict[str, object]:
    return {} if state is None else {"artifacts_url": str(state / "artifacts")}


def _build_face_analysis(state: Path | None, names: Sequence[str], port: int) -> "Service":
    from services.face_analysis.bootstrap import build
    from services.face_analysis.settings import FaceAnalysisSettings

    return build(FaceAnalysisSettings(**_placed("face_analysis", _artifacts(state))))


def _build_lora_training(state: Path | None, names: Sequence[str], port: int) -> "Service":
    from services.lora_training.bootstrap import build_service
    from services.lora_training.settings import LoraTrainingSettings

    places = _artifacts(state)
    if state is not None:
        places["state_folder"] = state / "lora_training"
    return build_service(LoraTrainingSettings(**_placed("lora_training", places)))


def _build_diffusion(state: Path | None, names: Sequence[str], port: int) -> "Service":
    from services.diffusion.bootstrap import build
    from services.diffusion.settings import DiffusionSettings

    return build(DiffusionSettings(**_placed("diffusion", _artifacts(state))))


def _build_fusion(state: Path | None, names: Sequence[str], port: int) -> "Service":
    from services.fusion.bootstrap import build
    from services.fusion.settings import FusionSettings

    return build(FusionSettings(**_placed("fusion", _artifacts(state))))


def _build_stylization(state: Path | None, names: Sequence[str], port: int) -> "Service":
    from services.stylization.bootstrap import build
    from services.stylization.settings import StylizationSettings

    return build(StylizationSettings(**_placed("stylization", _artifacts(state))))


def _build_orchestrator(state: Path | None, names: Sequence[str], port: int) -> "Service":
    from services.orchestrator.bootstrap import build
    from services.orchestrator.settings import OrchestratorSettings

    places = _artifacts(state)
    if state is not None:
        folder = state / "orchestrator"
        places["database_url"] = f"sqlite:///{folder / 'records.sqlite'}"
        places["workflow_database_url"] = f"sqlite:///{folder / 'workflows.sqlite'}"
    placed = _placed("orchestrator", places)
    # A service in this process is called here, whatever the environment says of others.
    here: dict[str, Any] = {f"{name}_target": f"127.0.0.1:{port}" for name in _TARGETS if name in names}
    return build(OrchestratorSettings(**placed, **here))


def _write_at_once(file: Path, text: str) -> None:
    """Write a file that a reader sees whole or not at all."""
    draft = file.with_name(file.name + ".draft")
    draft.write_text(text)
    draft.replace(file)


_BUILDERS: "Mapping[str, Callable[[Path | None, Sequence[str], int], Service]]" = {
    "face_analysis": _build_face_analysis,
    "lora_training": _build_lora_training,
    "diffusion": _build_diffusion,
    "fusion": _build_fusion,
    "stylization": _build_stylization,
    "orchestrator": _build_orchestrator,
}
