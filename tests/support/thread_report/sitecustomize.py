"""In a process that has this folder on its PYTHONPATH, SIGUSR1 writes what its threads are set to.

Read from the live process: its environment, torch, and every open session of ONNX Runtime.
"""

import gc
import json
import os
import signal
import sys
from typing import Any

_NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")
_FILE = os.environ.get("THREAD_REPORT", "")


def _sessions() -> list[dict[str, Any]]:
    if "onnxruntime" not in sys.modules:
        return []
    kind = sys.modules["onnxruntime"].InferenceSession
    options = [each.get_session_options() for each in gc.get_objects() if isinstance(each, kind)]
    return [
        {
            "intra_op_num_threads": each.intra_op_num_threads,
            "allow_spinning": [
                each.get_session_config_entry(f"session.{part}_op.allow_spinning")
                for part in ("intra", "inter")
            ],
        }
        for each in options
    ]


def _report(*_: object) -> None:
    torch = sys.modules.get("torch")
    content = {
        "environment": {name: os.environ.get(name) for name in _NAMES},
        "torch_threads": torch.get_num_threads() if torch else None,
        "sessions": _sessions(),
    }
    with open(f"{_FILE}.draft", "w") as file:
        json.dump(content, file)
    os.replace(f"{_FILE}.draft", _FILE)


if _FILE:
    signal.signal(signal.SIGUSR1, _report)
