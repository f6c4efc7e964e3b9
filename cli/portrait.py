"""`likeness portrait` and `likeness watch`: photos in, ranked portraits out."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from likeness.common.v1 import job_pb2
from likeness.orchestrator.v1 import resources_pb2
from rich.markup import escape

from cli.client import LikenessClient, read_photos
from cli.connection import ServerOption, TenantOption, connected, console
from cli.errors import EXIT_CANCELLED, EXIT_REFUSED
from cli.identity import print_acceptance
from cli.live import follow
from cli.report import write_results

OutOption = Annotated[
    Path, typer.Option("--out", help="Folder for the portraits, the reports and index.html.")
]
TRAIN_HELP = (
    "Train an adapter first (slower, closest likeness), or use identity tokens alone. "
    "Default: the server decides."
)


def portrait(  # noqa: PLR0913 - one parameter per option of the command line
    photos: Annotated[list[Path] | None, typer.Argument(help="Photos or renders of ONE person.")] = None,
    style: Annotated[str, typer.Option(help="Style, as in `likeness styles`.")] = "studio",
    count: Annotated[int, typer.Option(min=1, max=16, help="Portraits to return.")] = 4,
    candidates: Annotated[
        int, typer.Option(min=0, max=64, help="Candidates to rank; 0 = five times the count.")
    ] = 0,
    out: OutOption = Path("out/portrait"),
    train: Annotated[bool | None, typer.Option("--train/--train-free", help=TRAIN_HELP)] = None,
    prompt: Annotated[str, typer.Option(help='Your own words: "smiling, (blue background:1.3)".')] = "",
    negative_prompt: Annotated[str, typer.Option(help="What to avoid.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 0,
    size: Annotated[int, typer.Option(help="Side in pixels: 256 or 512.")] = 256,
    fuse: Annotated[bool, typer.Option("--fuse/--no-fuse", help="Fuse a photo's face in.")] = True,
    marks: Annotated[bool, typer.Option("--marks/--no-marks", help="Put moles and scars back.")] = True,
    texture: Annotated[bool, typer.Option("--texture/--no-texture", help="Bring wrinkles back.")] = True,
    enhance: Annotated[bool, typer.Option("--enhance/--no-enhance", help="Enhance the face.")] = True,
    identity: Annotated[str, typer.Option(help="Use this identity instead of photos.")] = "",
    name: Annotated[str, typer.Option(help="Name for the person.")] = "",
    server: ServerOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Make portraits of one person from photos.

    Five sharp photos from slightly different sides are plenty; photos that are not fit are refused
    with the reason. Ctrl-C cancels the portrait.

    Each candidate is fused with a photo, gets the person's marks and skin texture back and is enhanced, as
    far as the style says. A step that makes a candidate less alike or worse is undone; --no-fuse, --no-marks,
    --no-texture and --no-enhance leave it out. Without fusion there are no marks and no texture either.

    Words of --prompt may be weighted: "(red hair)" by 1.1, "(red hair:1.3)" by 1.3. A phrase of yours about
    hair, clothes, background, light ... takes the place of the style's.

    Example: likeness portrait starter/samples/ada/*.png --style sunset --train-free --out out/ada
    """
    if bool(photos) == bool(identity):
        raise typer.BadParameter("name photos, or an identity with --identity; not both and not neither")
    modes = {
        None: resources_pb2.IDENTITY_MODE_UNSPECIFIED,
        True: resources_pb2.IDENTITY_MODE_TRAIN,
        False: resources_pb2.IDENTITY_MODE_TRAIN_FREE,
    }
    with connected(server, tenant) as client:
        if identity:
            person = client.get_identity(resource("identities", identity))
        else:
            person = client.create_identity(read_photos(photos or []), name)
            print_acceptance(console, person)
        spec = resources_pb2.PortraitSpec(
            identity=person.name,
            style=resource("styles", style),
            portrait_count=count,
            candidate_count=candidates,
            mode=modes[train],
            prompt=prompt,
            negative_prompt=negative_prompt,
            seed=seed,
            size_px=size,
            finishing=finishing(fuse=fuse, restore_marks=marks, restore_texture=texture, enhance=enhance),
        )
        job = client.create_portrait(spec)
        console.print(f"[dim]{job.name} (`likeness watch {job.name}` attaches again)[/]")
        finish(client, job.name, out)


def watch(
    portrait_name: Annotated[str, typer.Argument(metavar="PORTRAIT", help='Such as "portraits/3f2a...".')],
    out: OutOption = Path("out/portrait"),
    server: ServerOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Attach to a running or finished portrait, and save its results.

    Ctrl-C cancels nothing here: it only ends the watching.
    """
    with connected(server, tenant) as client:
        finish(client, resource("portraits", portrait_name), out, is_owner=False)


def finishing(**wanted: bool) -> resources_pb2.Finishing:
    """Returns the steps that are turned off; the others are left to the style."""
    return resources_pb2.Finishing(**{name: False for name, is_wanted in wanted.items() if not is_wanted})


def resource(kind: str, name: str) -> str:
    """Returns "kind/name" whether or not the name already has its kind."""
    return name if name.startswith(f"{kind}/") else f"{kind}/{name}"


def finish(client: LikenessClient, name: str, out: Path, is_owner: bool = True) -> None:
    """Follows a portrait to its end and writes its results; exits non-zero where it did not succeed."""
    try:
        last = follow(client.watch_portrait(name), console)
    except KeyboardInterrupt:
        if is_owner:
            client.cancel_portrait(name)
            console.print("[yellow]Cancelled.[/]")
        sys.exit(EXIT_CANCELLED)
    if last.state == job_pb2.JOB_STATE_FAILED:
        console.print(f"[red]{escape(last.error.message)}[/] [dim]({last.error.reason})[/]")
    if last.state == job_pb2.JOB_STATE_CANCELLED:
        console.print("[yellow]The portrait was cancelled.[/]")
    if last.state != job_pb2.JOB_STATE_SUCCEEDED and not last.candidates:
        sys.exit(EXIT_REFUSED)
    person = client.get_identity(last.spec.identity)
    winners = write_results(out, person, last, client.download)
    for notice in last.notices:
        console.print(f"[yellow]{escape(notice)}[/]")
    for path in winners:
        console.print(f"[green]{path}[/]")
    console.print(
        f"contact sheet: [bold]{out / 'index.html'}[/]   acceptance report: {out / 'acceptance.json'}"
    )
    if last.state != job_pb2.JOB_STATE_SUCCEEDED:
        sys.exit(EXIT_REFUSED)
