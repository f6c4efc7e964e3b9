"""Trains style adapters (LoRA) on top of a finished generator, from the same heads in other looks.

Captions do not name the look: an adapter is chosen by its style, only the UNet learns, and a word that the
text encoder has never seen would do nothing but take room in the prompt. So the adapter alone is the look,
and the whole prompt stays free for what is to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from starter.data.looks import MAIN_LOOK, in_look, looks_of
from starter.data.manifest import Sample, read_manifest, training_part
from starter.train.adapters import Base, LoraShape, Plan, cached_latents, open_base, train_adapter
from starter.train.batches import BatchSampler
from starter.train.loop import LossFn, Recipe, Trainer
from starter.train.velocity_loss import VelocityLoss

RECIPE = Recipe(
    steps=200, batch=24, lr=2e-2, lr_end=2e-4, warmup_steps=20, weight_decay=0.0, ema_decay=0.98, seed=5
)
"""The rate is high for LoRA: ink, the one look that was tried, came as far in 100 steps at 3e-2 (training
loss .910) as in 200 at 3e-3 (.915). No command repeats this; 2e-2 leaves some room and was not
compared."""
SHAPE = LoraShape(4, r".*(attn[12]\.(to_v|to_out\.0)|resnets\.\d+\.conv[12]|conv_in|conv_out)")
"""A look is colours, edges and texture: the convolutions take part, and what attention carries; where
attention looks (queries and keys) stays as it is. 0.6 MB in half precision."""


def _check_looks(wanted: Sequence[str], there: Sequence[str], data: Path) -> None:
    missing = [look for look in wanted if look not in there]
    if missing or not wanted:
        raise FileNotFoundError(
            f"No picture in {data} has the look {', '.join(missing) or 'of any style'}; it has "
            f"{', '.join([MAIN_LOOK, *there])}. Run `python -m starter render {data} --looks "
            f"{','.join([MAIN_LOOK, *there, *missing])}` into an empty folder."
        )


def _starts(wanted: Sequence[str], folder: Path | None) -> dict[str, Path]:
    """What looks start from, of `folder`. Raises: FileNotFoundError if it has none of them."""
    if folder is None:
        return {}
    files = {look: folder / f"{look}.safetensors" for look in wanted}
    found = {look: file for look, file in files.items() if file.exists()}
    if not found:
        raise FileNotFoundError(f"{folder} has an adapter of none of {', '.join(wanted)} to start from.")
    return found


def train(
    data: Path,
    runs: Path,
    steps: int | None = None,
    looks: Sequence[str] = (),
    base: Path | None = None,
    start: Path | None = None,
) -> None:
    """Train one adapter after the other into `runs/style/<look>`; an interrupted call goes on where it was.

    Args:
        data: folder rendered with `--looks render,...`.
        runs: folder of runs.
        steps: of each look; default: the recipe's.
        looks: default: all looks that `data` has.
        base: model folder to train on; see `open_base`.
        start: folder of adapters, such as those of an earlier base, that looks start from where it has them.

    Raises, before anything is trained: FileNotFoundError for a look that `data` does not have, or if `start`
    has none of the looks.
    """
    samples = training_part(read_manifest(data))
    there = looks_of(samples)
    wanted = list(dict.fromkeys(looks)) or there
    _check_looks(wanted, there, data)
    starts = _starts(wanted, start)
    model = open_base(data, runs, base)
    recipe = RECIPE if steps is None else replace(RECIPE, steps=steps)
    for number, look in enumerate(wanted):
        drawn = in_look(samples, look)
        file = starts.get(look)
        begun = f", from {file}" if file else ""
        print(f"{look}, {number + 1} of {len(wanted)}: {len(drawn)} pictures{begun}", flush=True)
        plan = Plan(look, f"Draws portraits in the look {look}.", SHAPE, recipe, file)
        if not _train_look(model, plan, drawn, runs / "style" / look):
            return


def _train_look(base: Base, plan: Plan, samples: Sequence[Sample], folder: Path) -> bool:
    def make_loss(_: Trainer) -> LossFn:
        latents = cached_latents(base, samples, folder)
        # The packed folder has no part reader, which is used while the generator is trained alone.
        return VelocityLoss(BatchSampler(samples, latents), plan.recipe, parts_weight=0.0)

    return train_adapter(base, plan, folder, make_loss)
