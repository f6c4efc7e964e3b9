"""One format for every benchmark, evaluation and load run, so that any two can be compared."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

REPORTS_FOLDER = Path("out/reports")


@dataclass(frozen=True)
class Bar:
    """One measured value against its goal.

    Attributes:
        name: What was measured, with its unit ("p95_s").
        value: The measurement.
        goal: What it is held against.
        op: ">=" if more is better, "<=" if less is.
    """

    name: str
    value: float
    goal: float
    op: Literal[">=", "<="]

    @property
    def met(self) -> bool:
        """Whether the value reaches the goal; NaN never does."""
        return self.value >= self.goal if self.op == ">=" else self.value <= self.goal


def write_report(
    name: str,
    command: str,
    bars: Sequence[Bar],
    details: Mapping[str, Any],
    *,
    folder: Path = REPORTS_FOLDER,
) -> Path:
    """Print a table and write <folder>/<name>.json.

    Args:
        name: The make target.
        command: What a reader types to get this report again.
        bars: Values held against goals.
        details: Anything else that JSON holds.
        folder: Where reports lie.

    Returns:
        The path of the file.
    """
    report = {
        "name": name,
        "command": command,
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "bars": [_row(bar) for bar in bars],
        "details": dict(details),
    }
    _print_table(name, bars)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return path


def _row(bar: Bar) -> dict[str, Any]:
    return {"name": bar.name, "value": bar.value, "goal": bar.goal, "op": bar.op, "met": bar.met}


def _print_table(name: str, bars: Sequence[Bar]) -> None:
    table = Table(title=name)
    for heading in ("bar", "value", "goal", "met"):
        table.add_column(heading, justify="left" if heading == "bar" else "right")
    for bar in bars:
        table.add_row(bar.name, f"{bar.value:.4g}", f"{bar.op} {bar.goal:.4g}", "yes" if bar.met else "NO")
    Console().print(table)


def _commit() -> str:
    """The checked-out commit, marked when the work tree differs; "unknown" outside a repository."""
    try:
        result = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return result.stdout.strip()


def _machine() -> dict[str, Any]:
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
