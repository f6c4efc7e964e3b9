"""`likeness demo`: the main job on a sample identity; what `make demo` runs."""

from pathlib import Path
from typing import Annotated

import typer

from cli.connection import console
from cli.portrait import portrait

SAMPLES = Path(__file__).resolve().parent.parent / "starter" / "samples"


def demo(
    sample: Annotated[str, typer.Option(help="Sample identity: a folder below starter/samples.")] = "ada",
    train: Annotated[
        bool, typer.Option("--train/--train-free", help="Train an adapter first, or not.")
    ] = True,
    style: Annotated[str, typer.Option(help="Style, as in `likeness styles`.")] = "studio",
    candidates: Annotated[
        int, typer.Option(min=0, max=64, help="Candidates to rank; 0 = as many as a portrait has by default.")
    ] = 8,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out/demo"),
) -> None:
    """Make portraits of a sample identity and show what the services do."""
    photos = sorted((SAMPLES / sample).glob("*.png"))
    if not photos:
        known = ", ".join(sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir()))
        raise typer.BadParameter(f"no sample identity {sample!r}; there are {known}")
    mode = "with a trained adapter" if train else "train-free"
    console.print(f"[bold]Portraits of {sample.title()}[/] from {len(photos)} renders, {mode}")
    portrait(photos=photos, style=style, candidates=candidates, out=out, train=train, name=sample.title())
