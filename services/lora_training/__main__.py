"""Runs the service alone: `python -m services.lora_training`."""

import sys

from services.lora_training.bootstrap import build_service
from services.lora_training.settings import LoraTrainingSettings
from shared.server import LikenessServer, run_server
from shared.threads import apply_thread_defaults


def main() -> int:
    """Serve until SIGTERM or SIGINT. Returns: the exit code."""
    apply_thread_defaults(1)
    settings = LoraTrainingSettings()
    return run_server(LikenessServer([build_service(settings)], settings))


if __name__ == "__main__":
    sys.exit(main())
