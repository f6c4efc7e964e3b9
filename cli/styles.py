"""`likeness styles`: what portraits can look like, in words and in pictures."""

from pathlib import Path
from typing import Annotated

import typer
from likeness.orchestrator.v1 import resources_pb2

from cli.connection import ServerOption, TenantOption, connected, console
from cli.errors import EXIT_REFUSED
from cli.gallery import gallery_page, print_style, print_styles, style_id
from cli.previews import Drawing, PreviewFolder, default_model, draw_all, wanted_previews

SAMPLES = Path(__file__).resolve().parent.parent / "starter" / "samples"
PREVIEWS = Path(__file__).resolve().parent.parent / "services" / "orchestrator" / "styles" / "previews"

app = typer.Typer(invoke_without_command=True)
PageOption = Annotated[Path, typer.Option("--out", help="Page with all previews that is written.")]


@app.callback()
def list_all(
    context: typer.Context,
    grid: Annotated[bool, typer.Option("--grid", help="Write a page with a preview of each style.")] = False,
    out: PageOption = Path("out/styles.html"),
    group: Annotated[str, typer.Option(help="Only this group, such as places.")] = "",
    tag: Annotated[str, typer.Option(help="Only styles with this tag, such as outdoors.")] = "",
    server: ServerOption = None,
    tenant: TenantOption = "default",
) -> None:
    """What portraits can look like: lists the styles by group.

    `likeness styles show forest` tells more of one, also what it lacks where it cannot be drawn, and
    `likeness portrait PHOTOS... --style forest` draws in it.

    Example: likeness styles --tag outdoors --grid --out styles.html
    """
    if context.invoked_subcommand is not None:
        return
    with connected(server, tenant) as client:
        found = [
            style
            for style in client.list_styles(omit_previews=not grid)
            if (not group or style.group == group) and (not tag or tag in style.tags)
        ]
    print_styles(console, found)
    if grid:
        write_page(out, found)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="STYLE", help="Such as forest.")],
    server: ServerOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Show a style: its words, adapters and effect, licence and version, and whether it can be drawn."""
    with connected(server, tenant) as client:
        print_style(console, client.get_style(name))


@app.command("render-previews")
def render_previews(  # noqa: PLR0913 - one parameter per option of the command line
    names: Annotated[list[str] | None, typer.Argument(metavar="[STYLE]...", help="Only these.")] = None,
    sample: Annotated[str, typer.Option(help="Sample identity: a folder below starter/samples.")] = "ada",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same pictures.")] = 7,
    candidates: Annotated[int, typer.Option(min=1, max=64, help="Of so many the best is shown.")] = 4,
    folder: Annotated[
        Path, typer.Option(help="Where the previews and their index lie.", show_default="with the styles")
    ] = PREVIEWS,
    out: PageOption = Path("out/styles.html"),
    again: Annotated[bool, typer.Option("--again", help="Draw also what is up to date.")] = False,
    server: ServerOption = None,
    tenant: TenantOption = "previews",
) -> None:
    """Draw the previews of the styles with a sample identity, and a page with all of them.

    Drawn are those without a preview and those whose style, model or adapter has changed since; a
    preview is kept as soon as it is there, so a run that was ended goes on where it stopped. Styles that lack
    something are left out. The server shows new previews after its next start.

    Example: likeness styles render-previews forest noir --sample bruno
    """
    photos = sorted((SAMPLES / sample).glob("*.png"))
    if not photos:
        raise typer.BadParameter(f"no sample identity {sample!r} below {SAMPLES}")
    previews = PreviewFolder(folder)
    with connected(server, tenant) as client:
        styles = list(client.list_styles(omit_previews=True))
        names = [name.removeprefix("styles/") for name in names or []]
        if unknown := set(names) - {style_id(style) for style in styles}:
            raise typer.BadParameter(f"no style {', '.join(sorted(unknown))}; `likeness styles` lists them")
        drawing = Drawing(photos, sample, seed, candidates)
        chosen = [style for style in styles if not names or style_id(style) in names]
        wanted = wanted_previews(chosen, default_model(client.target), drawing)
        failed = draw_all(client, previews, wanted, drawing, console, again=again)
    for style in styles:
        if data := previews.picture(style):
            style.preview.data = data
    write_page(out, styles)
    console.print(f"{previews.count} previews, {previews.size_bytes / 1000:.0f} kB in [bold]{folder}[/]")
    if failed:
        raise typer.Exit(EXIT_REFUSED)


def write_page(path: Path, styles: list[resources_pb2.Style]) -> None:
    """Writes the page with all previews."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(gallery_page(styles), encoding="utf-8")
    console.print(f"previews: [bold]{path}[/]")
