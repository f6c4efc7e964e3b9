"""Runs the diffusion service alone: python -m services.diffusion."""

import sys

from services.diffusion.settings import DiffusionSettings
from shared.threads import apply_thread_defaults


def main() -> int:
    """Serve until signalled; the exit code."""
    # Before anything heavy is imported: OpenMP reads its variables once.
    apply_thread_defaults()
    from services.diffusion.bootstrap import build
    from shared.server import LikenessServer, run_server

    settings = DiffusionSettings()
    return run_server(LikenessServer([build(settings)], settings))


if __name__ == "__main__":
    sys.exit(main())
