"""Entry point of the `likeness` command."""

import typer

from cli import calibrate, demo, doctor, export, health, identity, portrait, serve, styles

app = typer.Typer(
    name="likeness",
    help="Portraits that keep the likeness, from a few photos or renders.\n\n"
    "Start with: likeness portrait PHOTOS... --style studio --out portraits/",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.command()(serve.serve)
app.command()(portrait.portrait)
app.command()(portrait.watch)
app.command()(calibrate.calibrate)
app.command()(doctor.doctor)
app.command()(health.health)
app.command()(export.export)
app.command()(demo.demo)
app.add_typer(identity.app, name="identity")
app.add_typer(styles.app, name="styles")


def main() -> None:
    """Runs the command line."""
    app()


if __name__ == "__main__":
    main()
