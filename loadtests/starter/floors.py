"""The floors of CI's quality gate: a JSON file beside this one, written by `--gate --write`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.reports import Bar

FILE = Path(__file__).parent / "gate_floors.json"
Floors = Mapping[str, Mapping[str, float]]
"""Name of a figure -> its "value" and "tolerance"."""
# What is lost by writing a value into the file must not fail it.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Figure:
    """One figure of the gate, more is better: its value, and how much less another machine may find."""

    name: str
    value: float
    tolerance: float


def check(figures: Sequence[Figure], floors: Floors) -> tuple[list[Bar], list[str]]:
    """Returns bars, and a sentence for each figure that is below its floor less the tolerance or is missing.

    A figure without a floor has no bar: a net that can read more than before must not fail.
    """
    bars, problems = [], []
    known = {figure.name: figure for figure in figures}
    for name, floor in floors.items():
        least = floor["value"] - floor["tolerance"]
        if name not in known:
            problems.append(f"{name} could not be measured any more; it was {floor['value']:.3f}.")
            continue
        value = known[name].value
        bars.append(Bar(name, value, least - _ROUNDING, ">="))
        if not bars[-1].met:
            problems.append(
                f"{name} is {value:.3f}, below {least:.3f}: it was {floor['value']:.3f}, and "
                f"{floor['tolerance']:.3f} less is tolerated."
            )
    return bars, problems


def read_floors(file: Path = FILE) -> Floors:
    """Returns the committed floors. Raises: FileNotFoundError, with the remedy."""
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: make it by python -m loadtests.starter --gate --write")
    floors: Floors = json.loads(file.read_text("utf-8"))["floors"]
    return floors


def read_backend(file: Path = FILE) -> str:
    """Returns what computed the floors, such as "openvino bf16"; "" where the file does not say."""
    backend: str = json.loads(file.read_text("utf-8")).get("backend", "")
    return backend


def write_floors(figures: Sequence[Figure], command: str, backend: str = "", file: Path = FILE) -> Path:
    """Writes the figures as floors, with what computed them, and returns the file."""
    floors = {
        one.name: {"value": round(one.value, 6), "tolerance": round(one.tolerance, 6)} for one in figures
    }
    text = json.dumps({"command": f"{command} --write", "backend": backend, "floors": floors}, indent=1)
    file.write_text(text + "\n", encoding="utf-8")
    return file
