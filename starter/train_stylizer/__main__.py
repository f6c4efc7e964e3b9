"""`python -m starter.train_stylizer`: train, export and judge the toon stylizer."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

# Before torch starts its threads: spinning ones would take the cores from everything else.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import typer


def main(
    pairs: Annotated[Path, typer.Option(help="Folder with render/N.jpg and toon/N.jpg.")],
    runs: Annotated[Path, typer.Option(help="Folder for checkpoints; a second call goes on from there.")],
    out: Annotated[Path, typer.Option(help="The file to write; its card goes beside it.")] = Path(
        "starter/weights/stylizer/toon.onnx"
    ),
    step_count: Annotated[int, typer.Option(min=1, help="Training steps of 4 crops.")] = 6000,
    sheet: Annotated[Path | None, typer.Option(help="Picture of results on unseen characters.")] = None,
) -> None:
    """Train on the pairs, export to ONNX, and write the figures on characters that were held out."""
    from starter.train_stylizer.evaluate import evaluate
    from starter.train_stylizer.export import export_onnx, write_card
    from starter.train_stylizer.net import WIDTHS, parameter_count
    from starter.train_stylizer.pairs import load_pairs, split
    from starter.train_stylizer.train import Recipe, train

    training, judged = split(load_pairs(pairs))
    recipe = Recipe(step_count=step_count)
    net = train(training, runs, recipe)
    export_onnx(net, out)
    figures = evaluate(out, judged, sheet=sheet)
    facts = {"pairs": len(training), "parameters": parameter_count(net), "widths": list(WIDTHS)}
    write_card(out.with_suffix(".json"), {**facts, **asdict(recipe)}, figures)
    for name, value in figures.items():
        typer.echo(f"{name:40} {value}")


if __name__ == "__main__":
    typer.run(main)
