"""Which calibrated gate holds for an embedder."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors.common import FieldInvalid
from shared.gates import Gate, OperatingPoint

__all__ = ["Gate", "OperatingPoint", "gate_of"]


def gate_of(gates: Mapping[str, Gate], model: str) -> Gate:
    """The gate that was calibrated for the embedder *model*.

    Raises:
        FieldInvalid: there is none; a guessed gate would let strangers through.
    """
    if model not in gates:
        problem = f"no gate is calibrated for embedder {model or '(unnamed)'}; run likeness calibrate"
        raise FieldInvalid(field="identity_gate", problem=problem)
    return gates[model]
