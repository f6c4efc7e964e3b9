"""`python -m starter.heads render OUT`, and `samples`."""

from starter.heads.cli import app

app()
