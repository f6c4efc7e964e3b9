"""Gives the text encoder a start: its last states must say what the caption says.

A text encoder from scratch gets almost no signal through an untrained UNet, and the UNet learns to
do without it. A few minutes of reading captions spare it thousands of steps. The states after the
end of the text see all of it, so that is where the UNet can look everything up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from starter.data.captions import tokenizer_corpus, varied_caption
from starter.data.labels import (
    BACKGROUNDS,
    CLOTHES_COLORS,
    EXPRESSIONS,
    FACING_LIMIT_DEG,
    LABELS,
    LIGHTS,
)
from starter.data.manifest import Sample, read_manifest, training_part
from starter.models.text import WIDTH, build_text_encoder, build_tokenizer
from starter.train.loop import Recipe, Trainer, rng_of_step
from starter.train.parallel import rank

RECIPE = Recipe(steps=600, batch=48, lr=1e-3, lr_end=5e-5, warmup_steps=50)
TOPICS: dict[str, tuple[str, ...]] = {
    **LABELS,
    "expression": tuple(EXPRESSIONS),
    "background": BACKGROUNDS,
    "clothes_color": CLOTHES_COLORS,
    "clothes_pattern": ("plain", "striped"),
    "light": LIGHTS,
    "facing": ("left", "forward", "right"),
}
"""What a caption can say -> the possible answers."""


def answers(sample: Sample, is_mirrored: bool) -> list[int]:
    """The right answer to each of `TOPICS`; a caption that leaves a topic out teaches its frequencies."""
    yaw = -sample.yaw_deg if is_mirrored else sample.yaw_deg
    facing = "forward" if abs(yaw) <= FACING_LIMIT_DEG else "right" if yaw > 0 else "left"
    said = {
        **sample.attributes,
        "expression": sample.expression,
        "background": sample.background,
        "clothes_color": sample.clothes["color"],
        "clothes_pattern": sample.clothes["pattern"],
        "light": sample.light or LIGHTS[0],
        "facing": facing,
    }
    return [words.index(said[topic]) for topic, words in TOPICS.items()]


class CaptionReader(nn.Module):
    """A text encoder and one linear classifier per topic on the states behind the text."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.text_encoder: CLIPTextModel = build_text_encoder(tokenizer)
        self.heads = nn.ModuleDict({topic: nn.Linear(WIDTH, len(words)) for topic, words in TOPICS.items()})

    def forward(self, captions: Sequence[str], position: Tensor) -> list[Tensor]:
        """Logits per topic from the state at `position` (B,) of each caption."""
        tokens = self.tokenizer(list(captions), padding="max_length", truncation=True, return_tensors="pt")
        states = self.text_encoder(tokens.input_ids).last_hidden_state
        read = states[torch.arange(len(captions)), position]
        return [head(read) for head in self.heads.values()]


def _behind_text(tokenizer: CLIPTokenizer, captions: Sequence[str], shares: Tensor) -> Tensor:
    """A position from the end mark to the last one; shares in [0, 1) say how far along."""
    length = tokenizer.model_max_length
    ends = torch.tensor([min(len(ids), length) - 1 for ids in tokenizer(list(captions))["input_ids"]])
    return ends + ((length - ends) * shares).long()


def train(data: Path, runs: Path, steps: int | None = None) -> None:
    """Write `runs/text/tokenizer` and `runs/text/model`."""
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    samples = training_part(read_manifest(data))
    folder = runs / "text"
    if not (folder / "tokenizer").exists():
        build_tokenizer(tokenizer_corpus(samples)).save_pretrained(folder / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    torch.manual_seed(recipe.seed)
    trainer = Trainer(CaptionReader(tokenizer), recipe, folder)
    trainer.resume()

    def loss_fn(model: nn.Module, step: int) -> Tensor:
        rng, _ = rng_of_step(recipe.seed, step)
        rows = [(samples[i], bool(m)) for i, m in rng.integers(0, (len(samples), 2), (recipe.batch_here, 2))]
        captions = [varied_caption(sample, is_mirrored, rng) for sample, is_mirrored in rows]
        truth = torch.tensor([answers(*row) for row in rows])
        shares = torch.from_numpy(rng.random(len(rows)))
        logits = model(captions, _behind_text(tokenizer, captions, shares))
        return torch.stack([F.cross_entropy(o, truth[:, i]) for i, o in enumerate(logits)]).mean()

    trainer.run(loss_fn)
    trainer.load_average()
    if rank() == 0:
        trainer.model.get_submodule("text_encoder").save_pretrained(folder / "model")  # type: ignore[operator]
