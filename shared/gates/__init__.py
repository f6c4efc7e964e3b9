"""Identity gates: how alike two faces must be to count as one person, measured and not guessed.

A gate is a file. `likeness calibrate` writes it, the fusion service reads it; this package is what both agree
on: the numbers (`gate`), how they are measured (`scores`, `calibration`), and the file (`gate_file`).
"""

from shared.gates.gate import DEFAULT_RATE, RATES, Gate, Interval, OperatingPoint
from shared.gates.gate_file import read_gate, write_gate

__all__ = ["DEFAULT_RATE", "RATES", "Gate", "Interval", "OperatingPoint", "read_gate", "write_gate"]
