"""Runs the orchestrator alone: python -m services.orchestrator."""

import sys

from services.orchestrator.settings import OrchestratorSettings
from shared.threads import apply_thread_defaults


def main() -> int:
    """Serve until signalled; the exit code."""
    # Before anything heavy is imported: OpenMP reads its variables once.
    apply_thread_defaults()
    from services.orchestrator.bootstrap import build
    from shared.server import LikenessServer, run_server

    settings = OrchestratorSettings()
    return run_server(LikenessServer([build(settings)], settings))


if __name__ == "__main__":
    sys.exit(main())
