"""Styles in words and pictures: the table of a terminal, and a page with a preview of each."""

import base64
from collections.abc import Sequence
from html import escape as escape_html
from itertools import groupby

from likeness.orchestrator.v1 import resources_pb2
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.sheet import html_page, row

UNAVAILABLE = resources_pb2.STYLE_AVAILABILITY_UNAVAILABLE
_EXTRA_STYLE = """
<style>
figure.absent { opacity: .55 }
.blank { aspect-ratio: 1; display: grid; place-items: center; background: #ececf0; color: #8e8e93 }
small { color: #6e6e73 }
</style>
"""


def style_id(style: resources_pb2.Style) -> str:
    """Returns the name that --style takes."""
    return style.name.removeprefix("styles/")


def print_styles(console: Console, styles: Sequence[resources_pb2.Style]) -> None:
    """Prints the styles by group, and marks those that cannot be drawn."""
    table = Table(box=None, header_style="dim", show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for title, group in groupby(styles, key=lambda style: style.group_title):
        table.add_row(f"[bold]{escape(title or 'Other')}[/]", "")
        for style in group:
            is_absent = style.availability == UNAVAILABLE
            state = " [yellow](not installed)[/]" if is_absent else ""
            name = f"[dim]{style_id(style)}[/]" if is_absent else style_id(style)
            table.add_row(f"  {name}", f"{escape(style.description)}{state}")
    console.print(table)
    absent = sum(style.availability == UNAVAILABLE for style in styles)
    lacking = f", {absent} of them not installed" if absent else ""
    more = "more of one, and what it lacks" if absent else "more of one"
    console.print(f"[dim]{len(styles)} styles{lacking}. `likeness styles show NAME` tells {more}.[/]")


def print_style(console: Console, style: resources_pb2.Style) -> None:
    """Prints all that is known of a style."""
    console.print(f"[bold]{escape(style.display_name)}[/]  {style.name}")
    console.print(escape(style.description))
    lines = {
        "group": style.group_title,
        "tags": ", ".join(style.tags),
        "prompt": style.prompt_template,
        "adapters": ", ".join(style.adapters),
        "effect": style.effect,
        "licence": style.licence,
        "version": f"{style.version}, sha256 {style.sha256}",
        "preview": "yes" if style.HasField("preview") else "none drawn yet: likeness styles render-previews",
    }
    for name, value in lines.items():
        if value:
            console.print(f"[dim]{name:9}[/] {escape(value)}")
    if style.availability == UNAVAILABLE:
        console.print(f"[yellow]{escape(style.unavailable_reason)}[/]")
    else:
        console.print(f"[dim]use it:[/]  likeness portrait PHOTOS... --style {style_id(style)}")


def gallery_page(styles: Sequence[resources_pb2.Style]) -> str:
    """Returns a page with the previews by group; the pictures are in the page itself."""
    groups = groupby(styles, key=lambda style: style.group_title)
    rows = [
        row(escape_html(title or "Other"), [_figure(style) for style in group]) for title, group in groups
    ]
    drawn = sum(style.HasField("preview") for style in styles)
    head = f"<meta charset=utf-8><title>Styles</title>{_EXTRA_STYLE}"
    count = f"<p class=sub>{len(styles)} styles, {drawn} with a preview</p>"
    return html_page(head, f"<h1>Styles</h1>{count}{''.join(rows)}")


def media_type(data: bytes) -> str:
    """Returns the media type of a picture by its first bytes; PNG where they say nothing."""
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/webp" if data[8:12] == b"WEBP" else "image/png"


def _figure(style: resources_pb2.Style) -> str:
    is_absent = style.availability == UNAVAILABLE
    picture = f"<div class=blank>{'not installed' if is_absent else 'no preview yet'}</div>"
    if style.preview.data:
        encoded = base64.b64encode(style.preview.data).decode("ascii")
        kind, name = media_type(style.preview.data), escape_html(style.display_name)
        picture = f"<img src='data:{kind};base64,{encoded}' alt='{name}' loading=lazy>"
    why = f"<br><small>{escape_html(style.unavailable_reason)}</small>" if is_absent else ""
    tags = f"<br><small>{escape_html(', '.join(style.tags))}</small>" if style.tags else ""
    return (
        f"<figure class='large{' absent' if is_absent else ''}'>{picture}<figcaption>"
        f"<b>{escape_html(style.display_name)}</b> <code>{escape_html(style_id(style))}</code><br>"
        f"{escape_html(style.description)}{tags}{why}</figcaption></figure>"
    )
