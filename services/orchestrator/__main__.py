"""Runs the orchestrator alone: python -m services.orchestrator."""

from services.orchestrator.bootstrap import build
from services.orchestrator.settings import OrchestratorSettings
from shared.server import LikenessServer, run_server

if __name__ == "__main__":
    settings = OrchestratorSettings()
    raise SystemExit(run_server(LikenessServer([build(settings)], settings)))
