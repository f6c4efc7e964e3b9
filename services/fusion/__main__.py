"""Runs the fusion service alone: python -m services.fusion."""

import sys

from services.fusion.settings import FusionSettings
from shared.threads import apply_thread_defaults


def main() -> int:
    """Serve until signalled; the exit code."""
    # Before anything heavy is imported: OpenMP reads its variables once.
    apply_thread_defaults()
    from services.fusion.bootstrap import build
    from shared.server import LikenessServer, run_server

    settings = FusionSettings()
    return run_server(LikenessServer([build(settings)], settings))


if __name__ == "__main__":
    sys.exit(main())
