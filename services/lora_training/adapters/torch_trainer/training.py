"""One training run from examples to the bytes of an adapter; resumable, cancellable, deterministic."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from services.lora_training.adapters.torch_trainer.averaging import average_adapters
from services.lora_training.adapters.torch_trainer.checkpoint import Checkpoint, CheckpointFolder
from services.lora_training.adapters.torch_trainer.dataset import Dataset, load_or_encode
from services.lora_training.adapters.torch_trainer.initial import InitialAdapter, read_initial
from services.lora_training.adapters.torch_trainer.lora import adapter_bytes, attach_lora
from services.lora_training.adapters.torch_trainer.model import (
    conditioning_digest,
    load_denoiser,
    open_trainable,
)
from services.lora_training.adapters.torch_trainer.objective import Objective
from services.lora_training.adapters.torch_trainer.optimiser import Optimiser
from services.lora_training.adapters.torch_trainer.sampling import draw
from services.lora_training.domain.example import TrainingExample
from services.lora_training.domain.progress import StepReport, final_loss, smoothed
from services.lora_training.domain.recipe import Recipe
from shared.cancellation import CancellationToken
from shared.sdmodels import LoraMetadata, base_model_digest, load_noise_schedule

_FORMAT: Final = 1  # part of the fingerprint: raise it when the meaning of a checkpoint changes


@dataclass(frozen=True)
class TrainingRun:
    """Where and how to train.

    Attributes:
        model_dir: Stable Diffusion folder; it is only read.
        work_dir: existing folder for cached latents and checkpoints; one run at a time.
        recipe: hyper-parameters.
        identity_embedding: float32 (D,), L2-normalised: the identity tokens made of it are given in training
            as they are at inference. None trains without tokens.
        notes: further entries of the file's metadata; no personal data belongs there.
        on_step: called after every step, in the training thread.
        token: checked every step.
    """

    model_dir: Path
    work_dir: Path
    recipe: Recipe = field(default_factory=Recipe)
    identity_embedding: npt.NDArray[np.float32] | None = None
    notes: dict[str, str] = field(default_factory=dict)
    on_step: Callable[[StepReport], None] = lambda _: None
    token: CancellationToken = field(default_factory=CancellationToken)


@dataclass(frozen=True)
class TrainedWeights:
    """A finished adapter.

    Attributes:
        data: the safetensors file: keys "unet.<module>.lora_A.weight" / "lora_B", float32.
        base_model_sha256: digest of the UNet that it belongs to.
        final_loss: mean loss over the last tenth of the steps.
    """

    data: bytes
    base_model_sha256: str
    final_loss: float


def train_adapter(examples: Sequence[TrainingExample], run: TrainingRun) -> TrainedWeights:
    """Train an adapter, going on from the newest checkpoint in `work_dir` when that belongs to an equal run.

    A run that was interrupted any number of times ends with the bytes of an undisturbed one on the same
    machine with the same number of torch threads.

    Raises:
        ModelNotTrainable: the folder is incomplete or of a kind that is not supported.
        CaptionTooLong: a caption has more tokens than the text encoder reads.
        UnknownAdapter, AdapterIncompatible: the recipe's initial adapter is not there or does not fit.
        Cancelled: the token tripped; checkpoints stay.
    """
    if not examples:
        raise ValueError("training needs at least one example")
    folder = open_trainable(run.model_dir)
    digest = base_model_digest(folder)
    source = digest + conditioning_digest(folder)
    initial = read_initial(run.model_dir, run.recipe.initial_adapter, digest)
    dataset = load_or_encode(folder, source, examples, run.recipe, run.work_dir / "latents.safetensors")
    run.token.raise_if_cancelled()
    unet = load_denoiser(folder, with_identity=run.identity_embedding is not None)
    parameters = attach_lora(unet, run.recipe.rank, run.recipe.alpha, run.recipe.seed)
    if initial is not None:
        initial.copy_into(parameters, run.recipe)
    fingerprint = _fingerprint(source, initial, examples, run)
    checkpoints = CheckpointFolder(run.work_dir / "checkpoints", fingerprint, keep=run.recipe.average_last)
    trainer = _Trainer(
        unet, parameters, dataset, Objective(load_noise_schedule(folder), run.recipe.snr_gamma), run
    )
    losses = trainer.train(checkpoints)
    facts = LoraMetadata(base_model_sha256=digest, rank=run.recipe.rank, alpha=run.recipe.alpha)
    origin = {} if initial is None else initial.notes()
    notes = {"steps": str(run.recipe.steps), "seed": str(run.recipe.seed), **origin, **run.notes}
    weights = average_adapters([saved.weights for saved in checkpoints.load_all()], run.recipe.rank)
    return TrainedWeights(adapter_bytes(weights, facts, notes), digest, final_loss(losses))


def _fingerprint(
    source: str, initial: InitialAdapter | None, examples: Sequence[TrainingExample], run: TrainingRun
) -> str:
    embedding = None if run.identity_embedding is None else run.identity_embedding.astype(float).tolist()
    facts = [_FORMAT, source, run.recipe.to_json(), [example.digest() for example in examples], embedding]
    facts.append(None if initial is None else initial.sha256)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class _Trainer:
    """The loop."""

    def __init__(
        self,
        unet: torch.nn.Module,
        parameters: dict[str, torch.nn.Parameter],
        dataset: Dataset,
        objective: Objective,
        run: TrainingRun,
    ) -> None:
        self._unet = unet
        self._dtype = next(unet.parameters()).dtype
        self._parameters = parameters
        self._dataset = dataset
        self._objective = objective
        self._run = run
        self._optimiser = Optimiser(parameters, run.recipe)
        embedding = run.identity_embedding
        self._embedding = None if embedding is None else torch.from_numpy(embedding.astype(np.float32))

    def train(self, checkpoints: CheckpointFolder) -> list[float]:
        """Run the missing steps and return the loss of every step; the last state is always checkpointed."""
        recipe = self._run.recipe
        losses = self._restore(checkpoints.load_newest())
        started, first = time.monotonic(), len(losses)
        for step in range(first, recipe.steps):
            self._run.token.raise_if_cancelled()
            losses.append(self._step(step))
            done = step + 1
            if done % recipe.checkpoint_every == 0 or done == recipe.steps:
                weights = {key: p.detach().clone() for key, p in self._parameters.items()}
                checkpoints.save(Checkpoint(done, losses, weights, self._optimiser.moments()))
            pace_s = (time.monotonic() - started) / (done - first)
            self._run.on_step(
                StepReport(done, recipe.steps, smoothed(losses), pace_s * (recipe.steps - done))
            )
        return losses

    def _restore(self, checkpoint: Checkpoint | None) -> list[float]:
        if checkpoint is None:
            return []
        with torch.no_grad():
            for key, parameter in self._parameters.items():
                parameter.copy_(checkpoint.weights[key])
        self._optimiser.restore(checkpoint.moments)
        return list(checkpoint.losses)

    def _step(self, step: int) -> float:
        drawn = draw(step, self._run.recipe, self._dataset, self._objective.timestep_count)
        latents = self._dataset.latents[drawn.crops]
        text = self._dataset.captions[drawn.examples]
        text = torch.where(drawn.has_caption[:, None, None], text, self._dataset.empty_caption)
        noisy = self._objective.noisy(latents, drawn.noise, drawn.timesteps)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._dtype == torch.bfloat16):
            prediction = self._unet(
                noisy.to(self._dtype),
                drawn.timesteps,
                text.to(self._dtype),
                added_cond_kwargs=self._identity_tokens(drawn.has_identity),
                return_dict=False,
            )[0]
        target = self._objective.target(latents, drawn.noise, drawn.timesteps)
        loss = self._objective.loss(
            prediction, target, drawn.timesteps, self._dataset.cell_weights[drawn.crops]
        )
        loss.backward()
        self._optimiser.apply(step)
        return float(loss.detach())

    def _identity_tokens(self, has_identity: torch.Tensor) -> dict[str, list[torch.Tensor]] | None:
        """Embeddings (B, 1, D) for the IP-Adapter; zero where dropped, as diffusers' negative embedding."""
        if self._embedding is None:
            return None
        rows = self._embedding[None, None] * has_identity[:, None, None]
        return {"image_embeds": [rows.to(self._dtype)]}
