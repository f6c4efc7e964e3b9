"""Runs the face analysis service alone: python -m services.face_analysis."""

import sys

from services.face_analysis.settings import FaceAnalysisSettings
from shared.threads import apply_thread_defaults


def main() -> int:
    """Serve until signalled; the exit code."""
    # Before anything heavy is imported: OpenMP reads its variables once.
    apply_thread_defaults()
    from services.face_analysis.bootstrap import build
    from shared.server import LikenessServer, run_server

    settings = FaceAnalysisSettings()
    return run_server(LikenessServer([build(settings)], settings))


if __name__ == "__main__":
    sys.exit(main())
