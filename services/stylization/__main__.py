"""Runs the stylization service alone: python -m services.stylization."""

import sys

from services.stylization.settings import StylizationSettings
from shared.threads import apply_thread_defaults


def main() -> int:
    """Serve until signalled; the exit code."""
    # Before anything heavy is imported: OpenMP reads its variables once.
    apply_thread_defaults()
    from services.stylization.bootstrap import build
    from shared.server import LikenessServer, run_server

    settings = StylizationSettings()
    return run_server(LikenessServer([build(settings)], settings))


if __name__ == "__main__":
    sys.exit(main())
