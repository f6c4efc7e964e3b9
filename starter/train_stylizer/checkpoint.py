"""The state of a training run in one safetensors file, written atomically."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


def save(path: Path, net: nn.Module, ema: nn.Module, optimiser: torch.optim.AdamW, step: int) -> None:
    """Write weights, averaged weights and AdamW's moments."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("net", net), ("ema", ema)):
        tensors |= {f"{prefix}.{k}": v.contiguous() for k, v in module.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{k}": torch.as_tensor(v).contiguous() for k, v in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"step": json.dumps(step)})
    os.replace(partial, path)


def load(path: Path, net: nn.Module, ema: nn.Module, optimiser: torch.optim.AdamW) -> int:
    """Read into the given objects; returns the step to go on from."""
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        step = int(json.loads(file.metadata()["step"]))
    for prefix, module in (("net", net), ("ema", ema)):
        start = f"{prefix}."
        module.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith(start)})
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("adam."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
    full = optimiser.state_dict()
    full["state"] = state
    optimiser.load_state_dict(full)
    return step
