"""Makes a folder of runs out of a packed folder, so that training goes on from weights that are there."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import CLIPTextModel

from starter.models.generator import Generator
from starter.models.vae import FoldedAutoencoder
from starter.train.generator import RECIPE
from starter.train.loop import Trainer

_RUNS = ("vae", "decoder", "text", "reader", "generator")
"""What a run of the generator reads; a decoder or reader of other latents must not be among it."""


def unpack(weights: Path, runs: Path) -> None:
    """Write what `reader`, `generator`, `decoder` and `pack` look for in `runs`, from the folder `weights`.

    The generator stands at step 0 of a new run: its optimiser starts afresh, as a packed folder holds no
    state of it, and its rate rises again before it falls. The part reader that is trained beside it is not
    packed either and starts untrained.

    Raises, before anything is written: FileExistsError if `runs` has a run of one of these already;
    FileNotFoundError or OSError if `weights` lacks a part.
    """
    taken = [name for name in _RUNS if (runs / name).exists()]
    if taken:
        raise FileExistsError(
            f"{runs} holds {', '.join(taken)} already; unpack into an empty folder of runs."
        )
    autoencoder, generator = FoldedAutoencoder.load(weights / "vae"), Generator.load(weights)
    generator.requires_grad_(True)
    autoencoder.save(runs / "vae" / "model")
    shutil.copytree(weights / "tokenizer", runs / "text" / "tokenizer")
    CLIPTextModel.save_pretrained(generator.text_encoder, runs / "text" / "model")
    Trainer(generator, RECIPE, runs / "generator").save()
