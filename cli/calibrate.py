"""`likeness calibrate`: how alike two faces must be to count as one person, measured on people you know."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.connection import TenantOption, console
from cli.embedded import embedded_server
from cli.errors import reported_errors
from cli.gate_report import draw_distributions, gate_table
from cli.people import Faces, Picture, embed, read_people
from shared.gates import DEFAULT_RATE, write_gate
from shared.gates.calibration import REFERENCE_COUNTS, Counted, calibrate_scores, require_enough
from shared.gates.scores import scores_of

SHOWN_FAULTS = 8


def calibrate(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="One folder for each person, each with two or more pictures of that person alone.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to write. Default: out/gates/<embedder>.json; beside it a .png.")
    ] = None,
    rate: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Share of strangers that may be let through.")
    ] = DEFAULT_RATE,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Server whose face analysis to use. Without it one is started and stopped after.",
            envvar="LIKENESS_SERVER",
        ),
    ] = None,
    tenant: TenantOption = "default",
) -> None:
    """Measure the identity gate of the installed embedder on pictures of people you know.

    The gate decides which portraits are alike enough to be returned. The one that ships holds for the
    starter pack's rendered characters; for another embedder, or for photographs, calibrate your own.

    Everybody is compared with everybody. A false accept is a stranger at or above the threshold, a false
    reject one of the person's own pictures below it. The rarer the false accepts that you want, the more
    people it takes: at 0.001 about 46 people with five pictures each, at 0.01 about 15. All rates that the
    data suffice for are written, for 1 to 64 references, each with the false rejects that it costs.

    Use pictures that no model was trained on. Then let the fusion service read the file:

    LIKENESS_FUSION_GATES_FILE=out/gates/NAME.json likeness serve

    Example: likeness calibrate people/ --rate 0.001 --out gates/mine.json
    """
    with reported_errors(console, lambda: server or "the embedded server"):
        pictures = read_people(folder)
        require_enough(Counted.of(np.array([picture.person for picture in pictures])), rate)
        with _face_analysis(server) as target:
            faces = _embedded(target, tenant, pictures)
        _show_unusable(faces)
        _finish(faces, folder, out, rate)


@contextmanager
def _face_analysis(server: str | None) -> Iterator[str]:
    if server:
        yield server
    else:
        with embedded_server(console, only=["face_analysis"]) as target:
            yield target


def _embedded(target: str, tenant: str, pictures: list[Picture]) -> Faces:
    columns = (TextColumn("faces"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("faces", total=len(pictures))
        return embed(target, tenant, pictures, on_each=lambda: bar.advance(task))


def _show_unusable(faces: Faces) -> None:
    if not faces.unusable:
        return
    console.print(f"[yellow]{len(faces.unusable)} pictures could not be used:[/]")
    for path, reason in list(faces.unusable.items())[:SHOWN_FAULTS]:
        console.print(f"  {escape(str(path))}: {reason}", soft_wrap=True)
    if len(faces.unusable) > SHOWN_FAULTS:
        console.print(f"  and {len(faces.unusable) - SHOWN_FAULTS} more")


def _finish(faces: Faces, folder: Path, out: Path | None, rate: float) -> None:
    """Calibrate, show, write."""
    rows, persons = faces.usable()
    require_enough(Counted.of(persons), rate)
    scores = list(scores_of(rows, persons, max(REFERENCE_COUNTS)))
    made_by = "likeness calibrate, with all faces against all"
    gate = calibrate_scores(
        scores,
        Counted.of(persons),
        model=faces.model,
        required_rate=rate,
        provenance={"data": f"pictures below {folder.name}", "made by": made_by},
    )
    for shown in gate.rates:
        if shown <= max(rate, DEFAULT_RATE):
            console.print(gate_table(gate, shown))
    console.print("[dim]In brackets 95 % intervals over people. bound: more references than pictures.[/]")
    path = out or Path("out/gates") / f"{faces.model}.json"
    write_gate(gate, path)
    plot = path.with_suffix(".png")
    draw_distributions(scores, gate, rate, plot)
    console.print(f"distributions: {plot}", soft_wrap=True)
    console.print(f"gate: [bold]{path}[/]", soft_wrap=True)
    console.print(f"use it: LIKENESS_FUSION_GATES_FILE={path} likeness serve", soft_wrap=True)
