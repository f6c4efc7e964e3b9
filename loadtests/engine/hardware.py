"""What the machine can do and what the UNet asks for: GEMM peak by precision, FLOPs of a row."""

import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from shared.sdmodels import load_unet, open_model_folder

_SIDE = 2048
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def gemm_peak_gflops(precision: str, repeats: int) -> float:
    """Returns the best of *repeats* square matrix products of 2,048, in GFLOP/s, on torch's threads."""
    dtype = _DTYPES[precision]
    left, right = (torch.randn(_SIDE, _SIDE).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(repeats + 2):
        began_s = time.perf_counter()
        torch.mm(left, right)
        seconds.append(time.perf_counter() - began_s)
    return float(2 * _SIDE**3 / min(seconds) / 1e9)


@torch.no_grad()
def unet_gflop_per_row(weights: Path) -> float:
    """Returns the floating point operations of one row at the model's own size, in 10^9, without adapters."""
    folder = open_model_folder(weights)
    unet = load_unet(folder)
    side = int(unet.config.sample_size)
    latents = torch.zeros(1, unet.config.in_channels, side, side)
    context = torch.zeros(1, 48, unet.config.cross_attention_dim)
    with FlopCounterMode(display=False) as counter:
        unet(latents, torch.tensor(1), context)
    return counter.get_total_flops() / 1e9
