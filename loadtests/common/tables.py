"""Tables of figures, for pages and for the documentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.markdown import table as markdown_table

Figure = Mapping[str, float] | None
"""A figure with its interval, as `Estimate.as_json` gives it; None where nothing was measured."""


@dataclass(frozen=True)
class Table:
    """A table with a heading and a sentence on how to read it."""

    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Returns it as Markdown."""
        return f"{self.title}: {self.note}\n\n{markdown_table(self.headings, self.rows)}"


def figure(value: Figure, digits: int = 3) -> str:
    """Returns "0.123 [0.100, 0.150]", "0.123 (one person)", or a dash where nothing was measured."""
    if value is None:
        return "–"
    if value.get("people") == 1:
        # Nothing is known of how people differ.
        return f"{value['value']:.{digits}f} (one person)"
    return f"{value['value']:.{digits}f} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"


def markdown_of(tables: Sequence[Table], notes: Sequence[str]) -> str:
    """Returns the section for the documentation."""
    return "\n\n".join([*notes, *(one.markdown() for one in tables)])
