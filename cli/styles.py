"""`likeness styles`: what portraits can look like."""

import base64
from collections.abc import Iterable
from html import escape as escape_html
from pathlib import Path
from typing import Annotated

import typer
from likeness.orchestrator.v1 import resources_pb2
from rich.markup import escape
from rich.table import Table

from cli.connection import ServerOption, TenantOption, connected, console
from cli.sheet import html_page, row


def styles(
    grid: Annotated[bool, typer.Option("--grid", help="Write a page with a preview of each style.")] = False,
    out: Annotated[Path, typer.Option(help="Page that --grid writes.")] = Path("out/styles.html"),
    server: ServerOption = None,
    tenant: TenantOption = "default",
) -> None:
    """List the styles."""
    table = Table("style", "version", "adapter", "effect", "description", box=None, header_style="dim")
    with connected(server, tenant) as client:
        found = client.list_styles()
    for style in found:
        name = style.name.removeprefix("styles/")
        table.add_row(name, str(style.version), style.adapter, style.effect, escape(style.description))
    console.print(table)
    if grid:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(grid_page(found), encoding="utf-8")
        console.print(f"previews: [bold]{out}[/]")


def grid_page(found: Iterable[resources_pb2.Style]) -> str:
    """Returns a page with the previews side by side; the pictures are in the page itself."""
    figures = [grid_figure(style) for style in found]
    return html_page("<meta charset=utf-8><title>Styles</title>", f"<h1>Styles</h1>{row('', figures)}")


def grid_figure(style: resources_pb2.Style) -> str:
    """Returns one style: preview, name, description."""
    picture = ""
    if style.preview.data:
        encoded = base64.b64encode(style.preview.data).decode("ascii")
        picture = f"<img src='data:image/png;base64,{encoded}' alt='{escape_html(style.display_name)}'>"
    name = escape_html(style.name.removeprefix("styles/"))
    return (
        f"<figure class=large>{picture}<figcaption><b>{escape_html(style.display_name)}</b> "
        f"<code>{name}</code><br>{escape_html(style.description)}</figcaption></figure>"
    )
