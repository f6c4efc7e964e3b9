"""The command that draws a data set; the starter's own command line takes `render` from here."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from starter.heads.contact_sheet import sheet_of_files
from starter.heads.dataset import RenderJob, finished, read_records
from starter.heads.gl import NoGraphicsError
from starter.heads.looks import LOOKS, Look
from starter.heads.samples import SAMPLES_FOLDER, draw_samples
from starter.heads.workers import WorkerFailedError, render_all

SHEET_PICTURES, SHEET_COLUMNS, LOOK_SHEET_PEOPLE = 48, 8, 6
app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def main() -> None:
    """Draw 3D-character heads with ground truth."""


@app.command()
def render(  # noqa: PLR0913  # one argument for each option of the command
    out: Annotated[Path, typer.Argument(help="Folder for pictures, part maps and manifests.")],
    identities: Annotated[int, typer.Option(min=1, help="How many characters.")] = 100,
    views: Annotated[int, typer.Option(min=1, help="Pictures of each character.")] = 3,
    first: Annotated[int, typer.Option(min=0, help="Number of the first; held out from 100000.")] = 0,
    looks: Annotated[str, typer.Option(help=f"Comma-separated, of: {', '.join(LOOKS)}.")] = "render",
    seed: Annotated[int, typer.Option(min=0, help="Other seed, other people.")] = 0,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Width and height in pixels.")] = 256,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    depth: Annotated[bool, typer.Option(help="Write 16-bit depth maps too.")] = False,
    full_parts: Annotated[bool, typer.Option(help="Write part maps at full resolution too.")] = False,
) -> None:
    """Draw characters with ground truth. Run it again to go on after an interruption."""
    numbers = tuple(range(first, first + identities))
    extras = {"depth": depth, "full_parts": full_parts}
    job = RenderJob(out, numbers, views, _parse_looks(looks), seed, size, **extras)
    console = Console()
    wanted = job.pictures()
    already = len(finished(out) & set(wanted))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("drawing", total=len(wanted), completed=already)
            for _ in render_all(job, workers):
                progress.advance(task)
    except (NoGraphicsError, WorkerFailedError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    _report(job, already, console)


@app.command()
def samples(
    out: Annotated[Path, typer.Argument(help="Folder; each person gets one of its own.")] = SAMPLES_FOLDER,
) -> None:
    """Draw the three sample people again."""
    try:
        for name in draw_samples(out):
            typer.echo(out / name)
    except NoGraphicsError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from error


def _parse_looks(text: str) -> tuple[Look, ...]:
    known = {str(look): look for look in LOOKS}
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(f"unknown look {', '.join(unknown)}; known are {', '.join(LOOKS)}")
    return tuple(dict.fromkeys(known[name] for name in names))


def _report(job: RenderJob, already: int, console: Console) -> None:
    """Say what is there, and write the contact sheet of the job's first pictures in all looks."""
    wanted = set(job.pictures())
    records = [
        record
        for path in sorted(job.out.glob("manifest*.jsonl"))
        for record in read_records(path)
        if (record["identity"], record["view"]) in wanted
    ]
    console.print(f"{len(records)} of {len(wanted)} pictures in {job.out}, {already} of them from before.")
    console.print(f"{len(wanted) - len(records)} rejected: dlib finds no face in them.")
    if not records:
        return
    records.sort(key=lambda record: (record["identity"], record["view"]))
    files = [job.out / file for record in records for file in record["looks"].values()][:SHEET_PICTURES]
    sheet = job.out / "contact_sheet.png"
    sheet_of_files(files, SHEET_COLUMNS, sheet)
    console.print(f"Contact sheet: {sheet}")
    if len(job.looks) > 1:
        console.print(f"Looks, a row for each person: {_write_look_sheet(job, records)}")


def _write_look_sheet(job: RenderJob, records: list[dict[str, Any]]) -> Path:
    """One picture of each of the first people in every look."""
    firsts = list({record["identity"]: record for record in reversed(records)}.values())[::-1]
    files = [job.out / record["looks"][look] for record in firsts[:LOOK_SHEET_PEOPLE] for look in job.looks]
    sheet = job.out / "looks.png"
    sheet_of_files(files, len(job.looks), sheet)
    return sheet
