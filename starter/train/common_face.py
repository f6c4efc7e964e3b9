"""Trains the adapter that an identity adapter starts from when there are very few photos.

One photo says little about a face, and LoRA matrices that start at zero have to learn from it what faces
have in common as well. FaceChain starts such a training from a "face common" LoRA, trained on many people,
instead (modelscope/facechain, `--resume_from_checkpoint=fromfacecommon`, `face_frombase_c4`). Here many
characters are shown with prompts of the kind that a training job uses, words of the person and none of the
scene, and with the identity tokens of *other* pictures of them; so the adapter learns what a face does with
its tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.lora_training.adapters.torch_trainer.lora import TARGET_MODULES
from services.lora_training.domain.recipe import Recipe as JobRecipe
from starter.data.captions import phrases
from starter.data.latents import Latents
from starter.data.manifest import Sample
from starter.train.adapters import LoraShape, Plan, train_on_everybody
from starter.train.batches import BatchSampler
from starter.train.loop import LossFn, Recipe, Trainer
from starter.train.velocity_loss import VelocityLoss

NAME = "common-face"
RECIPE = Recipe(
    steps=400, batch=24, lr=1e-3, lr_end=1e-4, warmup_steps=20, weight_decay=1e-2, ema_decay=0.99, seed=7
)
SHAPE = LoraShape(JobRecipe().rank, rf".*\.({'|'.join(TARGET_MODULES).replace('.', '[.]')})")
"""The very layers and rank of an identity adapter: a training goes on with these matrices as they are."""
_PERSON = re.compile(r".* (skin|hair|eyes|beard)|.*glasses|bald|stubble|moustache|goatee")
_PHRASE_DROP = 0.3


def person_caption(sample: Sample, rng: np.random.Generator) -> str:
    """Words of the person alone: "portrait of a young woman", and most of skin, hair, eyes and so on."""
    head, rest = phrases(sample)
    about_person = [phrase.text for phrase in rest if _PERSON.fullmatch(phrase.text)]
    return ", ".join([head, *(text for text in about_person if rng.random() >= _PHRASE_DROP)])


class PersonSampler(BatchSampler):
    """Rows whose captions speak of the person and not of the scene."""

    def caption(self, index: int, is_mirrored: bool, rng: np.random.Generator) -> str:
        """See `person_caption`."""
        return person_caption(self.samples[index], rng)


def train(data: Path, runs: Path, steps: int | None = None, base: Path | None = None) -> None:
    """Train `runs/common-face/common-face.safetensors`; see `train_on_everybody` for the arguments."""
    description = "What faces have in common: identity adapters of one or two photos start from it."

    def make_loss(samples: Sequence[Sample], latents: Latents, trainer: Trainer) -> LossFn:
        return VelocityLoss(PersonSampler(samples, latents), trainer.recipe, parts_weight=0.0)

    train_on_everybody(Plan(NAME, description, SHAPE, RECIPE), data, runs, steps, base, make_loss)
