"""Thread defaults of a process. Call `apply_thread_defaults` before torch, numpy or onnxruntime load."""

import os
import sys
from typing import Any

# OpenMP reads its variables once, when its library loads; on a busy host idle threads that spin cost 35x.
_PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
_HEAVY = ("torch", "onnxruntime", "cv2", "scipy")


def apply_thread_defaults(thread_count: int | None = None) -> None:
    """Make this process's worker threads sleep instead of spin, and bound their number.

    Variables that are set already win, so an operator can override each of them.

    Args:
        thread_count: Threads of one operator; None = all cores, at most 8 (more gives nothing here and
            starves the event loop).

    Raises:
        RuntimeError: A library that reads the variables is loaded already, so setting them is too late.
    """
    wanted = {**_PASSIVE, "OMP_NUM_THREADS": str(thread_count or min(os.cpu_count() or 1, 8))}
    missing = {name: value for name, value in wanted.items() if name not in os.environ}
    loaded = [name for name in _HEAVY if name in sys.modules]
    if missing and loaded:
        raise RuntimeError(f"{', '.join(missing)} set after {', '.join(loaded)} was imported")
    os.environ.update(missing)


def operator_threads(wanted: int | None = None) -> int:
    """Threads of one operator: *wanted*, or OMP_NUM_THREADS, or all cores."""
    return wanted or int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))


def ort_session_options(thread_count: int | None = None) -> Any:
    """`onnxruntime.SessionOptions` that do not spin between calls.

    Args:
        thread_count: Threads of one operator; None = OMP_NUM_THREADS, or all cores.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = operator_threads(thread_count)
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
