"""`likeness export`: a model's UNet for ONNX Runtime, OpenVINO, Triton and TensorRT."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer


def export(  # noqa: PLR0913 - one parameter per option of the command line
    model: Annotated[Path, typer.Option(help="Stable Diffusion folder in diffusers layout.")],
    target: Annotated[
        Literal["onnx", "triton", "tensorrt"],
        typer.Option(help="The graph alone; with a Triton model repository around it; for a TensorRT plan."),
    ] = "onnx",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write; by default onnx/ in the model, triton/ or tensorrt/."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model on Triton.")] = None,
    device: Annotated[str | None, typer.Option(help="Where Triton runs it: cpu, or cuda:N.")] = None,
    max_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows of one call on Triton, all clients together.")
    ] = None,
    queue_delay_us: Annotated[
        int | None, typer.Option(min=0, help="Microseconds that Triton waits for more rows.")
    ] = None,
    rank_rows: Annotated[
        int | None, typer.Option(min=4, help="Ranks of adapters that Triton keeps at a time.")
    ] = None,
    max_rank: Annotated[
        int | None, typer.Option(min=4, help="Most ranks of one row's adapters together on Triton.")
    ] = None,
) -> None:
    """Write a model's UNet as a graph that takes adapters and identity as inputs; prints the folder."""
    # A process of its own: this one never loads a model library.
    command = [sys.executable, "-m", "services.diffusion.export", "--model", str(model), "--target", target]
    given = {
        "--out": out,
        "--name": name,
        "--device": device,
        "--max-rows": max_rows,
        "--queue-delay-us": queue_delay_us,
        "--rank-rows": rank_rows,
        "--max-rank": max_rank,
    }
    for option, value in given.items():
        command += [] if value is None else [option, str(value)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
