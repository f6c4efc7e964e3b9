"""The gates on disk: those shipped with the service, and one of the operator's own."""

from __future__ import annotations

from pathlib import Path

from shared.errors.common import ModelMissing
from shared.gates import Gate, read_gate

SHIPPED = Path(__file__).resolve().parents[1] / "gates"


def load_gates(file: Path | None = None) -> dict[str, Gate]:
    """Gates by embedder: the shipped ones, of which *file* replaces that of its embedder.

    Raises:
        ModelMissing: *file* is not there.
        ValueError: a file is no gate file.
    """
    gates = {gate.model: gate for gate in map(read_gate, sorted(SHIPPED.glob("*.json")))}
    if file is not None:
        if not file.is_file():
            raise ModelMissing(
                file=file, licence="measurements of your own", command=f"likeness calibrate DIR --out {file}"
            )
        own = read_gate(file)
        gates[own.model] = own
    return gates
