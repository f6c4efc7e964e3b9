"""`python -m starter`: render | train | evaluate | pack | unpack."""

from __future__ import annotations

import importlib
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

# Before torch starts its threads: spinning ones would take the cores from everything else.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import typer

from starter.heads.cli import render

app = typer.Typer(no_args_is_help=True, add_completion=False)

Data = Annotated[Path, typer.Option(help="Folder with rendered images and manifest*.jsonl.")]
Runs = Annotated[Path, typer.Option(help="Folder for checkpoints and logs; a run goes on from there.")]
Weights = Annotated[Path, typer.Option(help="The model folder.")]
DEFAULT_WEIGHTS = Path(__file__).parent / "weights"


class Model(StrEnum):
    """What can be trained, in this order."""

    VAE = "vae"
    DECODER = "decoder"
    ATTRIBUTES = "attributes"
    SCENE = "scene"
    TEXT = "text"
    READER = "reader"
    GENERATOR = "generator"
    STYLE = "style"
    COMMON_FACE = "common-face"
    FEWSTEP = "fewstep"
    STRUCTURE = "structure"
    PARSER = "parser"
    MARKS = "marks"
    QUALITY = "quality"
    ENHANCER = "enhancer"
    UPSCALER = "upscaler"
    EMBEDDER = "embedder"


ADAPTERS = (Model.STYLE, Model.COMMON_FACE, Model.FEWSTEP)
"""Trained on a packed folder."""
STARTABLE = (Model.STYLE, Model.STRUCTURE, Model.PARSER)
"""What can start from packed files of its kind."""


@app.callback()
def main() -> None:
    """Render a data set of 3D-character heads, train the starter pack on it, evaluate and pack it.

    The order is: render; train vae, attributes, text, reader, generator, decoder; pack; train style,
    common-face, fewstep; pack --adapters-only; evaluate.
    """


@app.command()
def train(  # noqa: PLR0913 - one parameter per option of the command line
    model: Annotated[
        Model,
        typer.Argument(
            help="generator needs vae, text and reader; decoder and reader need vae; parser needs structure."
        ),
    ],
    data: Data = Path("out/starter/data"),
    runs: Runs = Path("out/starter/runs"),
    steps: Annotated[int | None, typer.Option(help="Total steps; default: the recipe's.")] = None,
    processes: Annotated[int, typer.Option(help="Single-threaded processes that share each batch.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads, if there is one process.")] = 2,
    look: Annotated[
        list[str] | None,
        typer.Option(help="Of style: which look; may be repeated. Default: all looks of the data."),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            help="Of adapters: packed folder to train on; default: RUNS' generator, else the shipped one."
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="What a new run starts from. Of style: folder of adapters, such as a copy of an earlier "
            "base's; of structure and parser: folder of a structure net."
        ),
    ] = None,
) -> None:
    """Train one model; stop it at any time and call it again to resume from its last checkpoint."""
    import torch

    from starter.train.parallel import train_in_processes

    options: dict[str, Path | int | list[str] | None] = {"data": data, "runs": runs, "steps": steps}
    if look and model is not Model.STYLE:
        raise typer.BadParameter(f"--look is for style; {model} has no looks")
    if start and model not in STARTABLE:
        raise typer.BadParameter(f"--start is for {', '.join(STARTABLE)}; {model} starts from nothing")
    if start and not start.is_dir():
        raise typer.BadParameter(f"--start: {start} is no folder")
    if base and model not in ADAPTERS:
        raise typer.BadParameter(f"--base is for {', '.join(ADAPTERS)}; {model} starts from the data alone")
    options |= {"base": base} if model in ADAPTERS else {}
    options |= {"looks": look or []} if model is Model.STYLE else {}
    options |= {"start": start} if model in STARTABLE else {}
    module = model.replace("-", "_")
    if processes > 1:
        train_in_processes(processes, module, options)
        return
    torch.set_num_threads(threads)
    importlib.import_module(f"starter.train.{module}").train(**options)


@app.command()
def evaluate(
    data: Data = Path("out/starter/data"),
    weights: Weights = DEFAULT_WEIGHTS,
    out: Annotated[Path, typer.Option(help="Folder for figures.json and contact_sheet.png.")] = Path(
        "out/starter/evaluation"
    ),
    per_person: Annotated[int, typer.Option(help="Portraits drawn for each held-out person.")] = 2,
    text_guidance: Annotated[float, typer.Option(help="Strength of the prompt.")] = 3.0,
    identity_guidance: Annotated[float, typer.Option(help="Strength of the person.")] = 4.0,
) -> None:
    """Measure a packed folder on held-out people: likeness, detection rate, sharpness of the autoencoder."""
    from starter import evaluate as evaluation
    from starter.sampling import Guidance

    guidance = Guidance(text_guidance, identity_guidance)
    figures, sheet = evaluation.evaluate(data, weights, per_person, guidance)
    out.mkdir(parents=True, exist_ok=True)
    sheet.save(out / "contact_sheet.png")
    rows = evaluation.as_json(figures)
    (out / "figures.json").write_text(json.dumps(rows, indent=1) + "\n")
    for name, value in rows.items():
        typer.echo(f"{name:16} {value}")


@app.command()
def pack(
    data: Data = Path("out/starter/data"),
    runs: Runs = Path("out/starter/runs"),
    weights: Weights = DEFAULT_WEIGHTS,
    adapters_only: Annotated[
        bool, typer.Option("--adapters-only", help="Add adapters to WEIGHTS and leave all else as it is.")
    ] = False,
    nets_only: Annotated[
        bool, typer.Option("--nets-only", help="Replace the small nets that RUNS has; leave all else.")
    ] = False,
) -> None:
    """Write the newest checkpoints as one model folder in half precision; says the size of each part."""
    from starter import pack as packing
    from starter.packed_adapters import pack_adapters

    if nets_only and adapters_only:
        raise typer.BadParameter("--nets-only and --adapters-only exclude each other")
    if nets_only:
        nets = packing.pack_nets(runs, weights)
        typer.echo(f"small nets: {', '.join(nets) or f'none, as {runs} has none'}", err=True)
    else:
        if not adapters_only:
            packing.pack(data, runs, weights)
        adapters = pack_adapters(runs, weights)
        if adapters.left_out:
            typer.echo(f"left out, as trained on another base: {', '.join(adapters.left_out)}", err=True)
        if adapters.removed:
            typer.echo(f"removed, as they belong to another base: {', '.join(adapters.removed)}", err=True)
    sizes = packing.folder_sizes_mb(weights)
    for name, size_mb in sizes.items():
        typer.echo(f"{name:24} {size_mb:7.1f} MB")
    if sizes["total"] > packing.SIZE_LIMIT_MB:
        typer.echo(f"More than the {packing.SIZE_LIMIT_MB} MB that the repository allows.", err=True)
        raise typer.Exit(1)


@app.command()
def unpack(
    runs: Runs = Path("out/starter/runs"),
    weights: Weights = DEFAULT_WEIGHTS,
) -> None:
    """Make a folder of runs out of a model folder, to train its generator further, say on your characters.

    Then: train reader, train generator --steps N (of the new run), pack, and adapters again.
    """
    from starter.unpack import unpack as write_runs

    try:
        write_runs(weights, runs)
    except OSError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"{runs} holds what was packed in {weights}, the generator at step 0 of a new run.")


app.command()(render)

if __name__ == "__main__":
    app()
