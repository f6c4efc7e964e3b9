"""`likeness identity create|list|show|delete`."""

from pathlib import Path
from typing import Annotated

import typer
from likeness.orchestrator.v1 import resources_pb2
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.client import read_photos
from cli.connection import ServerOption, TenantOption, connected, console

app = typer.Typer(help="The people that portraits are made of.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="IDENTITY", help='Such as "identities/3f2a...".')]


@app.command()
def create(
    photos: Annotated[list[Path], typer.Argument(help="Photos or renders of ONE person.")],
    name: Annotated[str, typer.Option(help="Name for the person.")] = "",
    server: ServerOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Create an identity; prints which photos are fit, and why others are not."""
    with connected(server, tenant) as client:
        identity = client.create_identity(read_photos(photos), name)
        print_acceptance(console, identity)
        console.print(identity.name)


@app.command("list")
def list_all(server: ServerOption = None, tenant: TenantOption = "default") -> None:
    """List identities, the newest first."""
    table = Table("identity", "name", "photos", "adapter", "created", box=None, header_style="dim")
    with connected(server, tenant) as client:
        for identity in client.list_identities():
            accepted = sum(photo.is_accepted for photo in identity.photos)
            created = identity.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M")
            has_adapter = "trained" if identity.adapter.uri else ""
            counts = f"{accepted} of {len(identity.photos)}"
            table.add_row(identity.name, escape(identity.display_name), counts, has_adapter, created)
    console.print(table)


@app.command()
def show(name: NameArgument, server: ServerOption = None, tenant: TenantOption = "default") -> None:
    """Show an identity with the verdict on each photo."""
    with connected(server, tenant) as client:
        identity = client.get_identity(name)
    console.print(f"[bold]{escape(identity.display_name or identity.name)}[/]  {identity.name}")
    print_acceptance(console, identity)
    words = ", ".join(f"{known.name} {known.value} ({known.confidence:.0%})" for known in identity.attributes)
    console.print(f"attributes: {escape(words) or 'none (no attribute model installed)'}")
    console.print(f"adapter: {identity.adapter.uri or 'none'}")


@app.command()
def delete(
    name: NameArgument,
    is_confirmed: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    server: ServerOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Delete an identity: its photos, embeddings, adapters, training jobs and portraits."""
    if not is_confirmed:
        typer.confirm(f"Delete {name} with everything that belongs to it?", abort=True)
    with connected(server, tenant) as client:
        receipt = client.delete_identity(name)
    console.print(
        f"Deleted {receipt.photo_count} photos, {receipt.embedding_count} embeddings, "
        f"{receipt.adapter_count} adapters, "
        f"{receipt.training_job_count} training jobs, {receipt.portrait_count} portraits: "
        f"{receipt.artifact_count} stored files in all."
    )


def print_acceptance(console: Console, identity: resources_pb2.Identity) -> None:
    """Prints the verdict on each photo."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for photo in identity.photos:
        verdict = "[green]accepted[/]" if photo.is_accepted else "[red]refused[/]"
        notes = [escape(note.message) for note in (*photo.refusals, *photo.warnings)]
        likeness = f"{photo.similarity_to_set:.3f}" if photo.similarity_to_set else ""
        table.add_row(escape(photo.display_name), verdict, likeness, "\n".join(notes))
    console.print(table)
