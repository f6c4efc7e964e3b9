"""Checkpoints on disk: tensors as safetensors, the rest as JSON; each is complete or absent."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch

_WEIGHTS, _STATE = "state.safetensors", "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after `step` steps.

    Random numbers need no state of their own: every step draws from a generator seeded by (seed, step).

    Attributes:
        step: steps that are done.
        losses: loss of each done step.
        weights: LoRA weights by file key.
        moments: AdamW state per file key: "<key>/<name of the moment>".
    """

    step: int
    losses: list[float]
    weights: dict[str, torch.Tensor]
    moments: dict[str, torch.Tensor]


class CheckpointFolder:
    """The checkpoints of one run, `keep` newest ones; those of another fingerprint count as absent."""

    def __init__(self, path: Path, fingerprint: str, keep: int = 1) -> None:
        """Open the folder, which is made when needed.

        Args:
            path: the folder.
            fingerprint: names model, examples and recipe; checkpoints of another one are ignored.
            keep: newest checkpoints that stay, at least 1.
        """
        self.path = path
        self.fingerprint = fingerprint
        self.keep = keep

    def save(self, checkpoint: Checkpoint) -> None:
        """Write durably and drop the oldest; a kill at any moment leaves the previous checkpoint usable."""
        final = self.path / f"{checkpoint.step:08d}"
        draft = self.path / f".{final.name}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        tensors = {f"w/{k}": v.detach() for k, v in checkpoint.weights.items()}
        tensors |= {f"m/{k}": v for k, v in checkpoint.moments.items()}
        data = safetensors.torch.save({k: v.contiguous() for k, v in tensors.items()})
        state = {
            "fingerprint": self.fingerprint,
            "step": checkpoint.step,
            "losses": checkpoint.losses,
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        _write_durably(draft / _WEIGHTS, data)
        _write_durably(draft / _STATE, json.dumps(state).encode())
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        for old in self._folders()[: -self.keep]:
            shutil.rmtree(old)

    def load_all(self) -> list[Checkpoint]:
        """Return the intact checkpoints of this run, oldest first."""
        return [found for folder in self._folders() if (found := self._load(folder)) is not None]

    def load_newest(self) -> Checkpoint | None:
        """Return the newest readable checkpoint, None when there is none."""
        return next(
            (c for folder in reversed(self._folders()) if (c := self._load(folder)) is not None), None
        )

    def _folders(self) -> list[Path]:
        return sorted(folder for folder in self.path.glob("[0-9]*") if folder.is_dir())

    def _load(self, folder: Path) -> Checkpoint | None:
        try:
            state = json.loads((folder / _STATE).read_bytes())
            data = (folder / _WEIGHTS).read_bytes()
        except (OSError, ValueError):
            return None
        is_intact = state["sha256"] == hashlib.sha256(data).hexdigest()
        if state["fingerprint"] != self.fingerprint or not is_intact:
            return None
        tensors = safetensors.torch.load(data)
        weights = {key[2:]: value for key, value in tensors.items() if key.startswith("w/")}
        moments = {key[2:]: value for key, value in tensors.items() if key.startswith("m/")}
        return Checkpoint(state["step"], state["losses"], weights, moments)


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
