"""Puts trained adapters into a packed folder: those that belong to its UNet, and no others."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from shared.sdmodels import LoraMetadata, base_model_digest, open_model_folder

FOLDER = "adapters"
SINGLE = ("common-face", "fewstep")
"""Adapters that are no looks; each has a folder of its own under `runs`."""


@dataclass(frozen=True)
class Packed:
    """Names of adapters: packed ones, those of `runs` that belong to another base, and removed ones."""

    added: Sequence[str]
    left_out: Sequence[str]
    removed: Sequence[str]


def base_of(file: Path) -> str | None:
    """Digest of the UNet that an adapter was trained on, as its file says; None if it does not."""
    with safe_open(file, "np") as tensors:
        return LoraMetadata.from_safetensors(tensors.metadata()).base_model_sha256


def trained_adapters(runs: Path) -> list[Path]:
    """The finished adapters of `runs`: looks, the common face, few steps."""
    looks = [file for file in runs.glob("style/*/*.safetensors") if file.stem == file.parent.name]
    others = [file for name in SINGLE if (file := runs / name / f"{name}.safetensors").exists()]
    return [*sorted(looks), *others]


def pack_adapters(runs: Path, weights: Path) -> Packed:
    """Copy the adapters of `runs` that belong to the UNet in `weights` to `weights/adapters`.

    Adapters already there that belong to another UNet are removed: no service would apply them.
    """
    digest = base_model_digest(open_model_folder(weights))
    folder = weights / FOLDER
    folder.mkdir(exist_ok=True)
    removed = [file for file in sorted(folder.glob("*.safetensors")) if base_of(file) != digest]
    for file in removed:
        file.unlink()
    trained = trained_adapters(runs)
    fitting = [file for file in trained if base_of(file) == digest]
    for source in fitting:
        partial = folder / f".{source.name}"
        shutil.copyfile(source, partial)
        partial.chmod(0o644)
        partial.replace(folder / source.name)
    left_out = [file.stem for file in trained if file not in fitting]
    return Packed([file.stem for file in fitting], left_out, [file.stem for file in removed])
