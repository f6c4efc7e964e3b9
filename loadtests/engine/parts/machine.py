"""Section "machine": what the hardware can do and what the UNet asks of it."""

import os
from typing import Any

import torch

from loadtests.engine.hardware import gemm_peak_gflops, unet_gflop_per_row
from loadtests.engine.scale import WEIGHTS, Scale


def measure(scale: Scale) -> dict[str, Any]:
    """Returns GEMM peaks by precision, threads, and the UNet's operations per row."""
    return {
        "torch_threads": torch.get_num_threads(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS", ""),
        "gemm_gflops": {name: gemm_peak_gflops(name, scale.repeats) for name in ("float32", "bfloat16")},
        "unet_gflop_per_row": unet_gflop_per_row(WEIGHTS),
    }
