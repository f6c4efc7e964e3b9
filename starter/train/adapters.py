"""What every trained adapter shares: the model folder that it belongs to, its LoRA layers, its file.

All of them are trained on a packed folder, on the half-precision weights that they will meet when served; so
an adapter can be added to weights that somebody else has trained, and its file can name their digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file, save

from shared.sdmodels import LoraMetadata, base_model_digest, canonical, open_model_folder
from starter.data.latents import Latents, load_latents
from starter.data.manifest import Sample, read_manifest, training_part
from starter.models.generator import Generator
from starter.pack import WEIGHTS, write_generator
from starter.train.loop import CHECKPOINT, LossFn, Recipe, Trainer
from starter.train.parallel import first_process_first, rank

LICENCE = "Apache-2.0"
_FACTS, _PREFIX, _SEEN = "adapter.json", "unet.", "samples_seen"


@dataclass(frozen=True)
class LoraShape:
    """Rank of every pair, which its alpha equals, and the expression that a layer's whole path must match."""

    rank: int
    layers: str


@dataclass(frozen=True)
class Plan:
    """An adapter to be.

    Attributes:
        name: its file's, without the suffix.
        description: one sentence.
        shape: rank and layers.
        recipe: how it is trained.
        start: an adapter of this shape that a new run starts from, of any UNet of these widths; None from no
            effect.
    """

    name: str
    description: str
    shape: LoraShape
    recipe: Recipe
    start: Path | None = None


@dataclass(frozen=True)
class Base:
    """The model folder that an adapter is trained on, and the digest of its UNet."""

    folder: Path
    digest: str

    def load(self) -> Generator:
        """The generator, frozen."""
        return Generator.load(self.folder).requires_grad_(False)


def open_base(data: Path, runs: Path, chosen: Path | None = None) -> Base:
    """The folder `chosen`; else the generator of `runs`, packed into `runs/base`; else the shipped one."""
    folder = chosen
    if folder is None:
        is_trained = (runs / "generator" / "checkpoint.safetensors").exists()
        folder = _packed(data, runs) if is_trained else WEIGHTS
    base = Base(folder, base_model_digest(open_model_folder(folder)))
    if rank() == 0:
        print(f"adapters for {folder}, UNet {base.digest[:12]}", flush=True)
    return base


def _packed(data: Path, runs: Path) -> Path:
    folder, checkpoint = runs / "base", runs / "generator" / "checkpoint.safetensors"
    index = folder / "model_index.json"
    with first_process_first():
        if not index.exists() or index.stat().st_mtime < checkpoint.stat().st_mtime:
            write_generator(data, runs, folder)
    return folder


def add_lora(unet: UNet2DConditionModel, shape: LoraShape, seed: int) -> None:
    """Give the frozen `unet` trainable LoRA layers that change nothing yet; equal seeds, equal layers."""
    torch.manual_seed(seed)
    unet.add_adapter(LoraConfig(r=shape.rank, lora_alpha=shape.rank, target_modules=shape.layers))


def start_from(unet: UNet2DConditionModel, file: Path) -> None:
    """Give the LoRA layers of `unet` the matrices in `file`. Raises: ValueError if their shape is another."""
    theirs = {key.removeprefix(_PREFIX): value.float() for key, value in load_file(file).items()}
    ours = get_peft_model_state_dict(unet)
    if {key: value.shape for key, value in theirs.items()} != {k: v.shape for k, v in ours.items()}:
        raise ValueError(f"{file} has other layers or another rank than what is to be trained")
    set_peft_model_state_dict(unet, theirs)


def _seen_by(start: Path | None) -> int:
    """Samples that the adapter in `start` has seen, as its file says."""
    if start is None:
        return 0
    with safe_open(start, "pt") as tensors:
        return int((tensors.metadata() or {}).get(_SEEN, 0))


def adapter_bytes(unet: UNet2DConditionModel, plan: Plan, base: Base, seen_before: int = 0) -> bytes:
    """The adapter as a safetensors file in half precision: diffusers' keys; base, rank, licence, samples."""
    state = get_peft_model_state_dict(unet)
    tensors = {f"{_PREFIX}{key}": state[key].detach().half().contiguous() for key in sorted(state)}
    facts = LoraMetadata(base_model_sha256=base.digest, rank=plan.shape.rank, alpha=float(plan.shape.rank))
    notes = {
        "format": "pt",
        "description": plan.description,
        "licence": LICENCE,
        _SEEN: str(seen_before + plan.recipe.steps * plan.recipe.batch),
    }
    return canonical(save(tensors, {**notes, **facts.to_safetensors()}))


def cached_latents(base: Base, samples: Sequence[Sample], folder: Path) -> Latents:
    """Latents of `samples` by the base's autoencoder, kept in `folder`; one process computes them for all."""
    with first_process_first():
        return load_latents(samples, base.folder / "vae", folder / "latents.safetensors")


def _claim(folder: Path, plan: Plan, base: Base) -> None:
    """Keep `folder` for runs of this base and shape; one of another is renamed, as it cannot go on.

    What a run starts from is decided when it begins: one that has a checkpoint goes on from that.
    """
    facts = {"base_model_sha256": base.digest, "rank": plan.shape.rank, "layers": plan.shape.layers}
    file = folder / _FACTS
    known = json.loads(file.read_text()) if file.exists() else {}
    if known and {key: known.get(key) for key in facts} != facts:
        number = next(n for n in range(1, 1000) if not folder.with_name(f"{folder.name}.{n}").exists())
        print(f"{folder} was trained on another base or shape: kept as {folder.name}.{number}", flush=True)
        folder.rename(folder.with_name(f"{folder.name}.{number}"))
    elif (folder / CHECKPOINT).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**facts, _SEEN: _seen_by(plan.start)}, indent=1) + "\n")


def _seen_before(folder: Path) -> int:
    """Samples that were seen before the run in `folder` began, as it noted then."""
    return int(json.loads((folder / _FACTS).read_text()).get(_SEEN, 0))


def train_adapter(base: Base, plan: Plan, folder: Path, make_loss: Callable[[Trainer], LossFn]) -> bool:
    """Train an adapter, going on where `folder` has a checkpoint, and write `folder/<name>.safetensors`.

    Returns False if a signal stopped it; then there is a checkpoint and no file yet.
    """
    model = base.load()
    add_lora(model.unet, plan.shape, plan.recipe.seed)
    if plan.start is not None:
        start_from(model.unet, plan.start)
    with first_process_first():
        if rank() == 0:
            _claim(folder, plan, base)
    trainer = Trainer(model, plan.recipe, folder)
    trainer.resume()
    if not trainer.run(make_loss(trainer)):
        return False
    trainer.load_average()
    if rank() == 0:
        partial = folder / f"{plan.name}.partial"
        partial.write_bytes(adapter_bytes(model.unet, plan, base, _seen_before(folder)))
        partial.replace(folder / f"{plan.name}.safetensors")
    return True


def train_on_everybody(
    plan: Plan,
    data: Path,
    runs: Path,
    steps: int | None,
    base: Path | None,
    make_loss: Callable[[Sequence[Sample], Latents, Trainer], LossFn],
) -> None:
    """Train an adapter on all identities that are not held out; writes `runs/NAME/NAME.safetensors`.

    Args:
        plan: name, shape and recipe.
        data: folder of renders.
        runs: folder of runs.
        steps: default: the recipe's.
        base: model folder to train on; see `open_base`.
        make_loss: of the samples, their latents in the same order, and the trainer.
    """
    samples = training_part(read_manifest(data))
    opened = open_base(data, runs, base)
    if steps is not None:
        plan = replace(plan, recipe=replace(plan.recipe, steps=steps))
    folder = runs / plan.name

    def loss_of(trainer: Trainer) -> LossFn:
        return make_loss(samples, cached_latents(opened, samples, folder), trainer)

    train_adapter(opened, plan, folder, loss_of)
