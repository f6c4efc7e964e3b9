"""Gates as JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.gates.gate import Gate, OperatingPoint

SCHEMA = 1


def write_gate(gate: Gate, path: Path) -> None:
    """Write a gate; folders are made. The same gate gives the same bytes."""
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "model": gate.model,
        "persons": gate.persons,
        "pictures": gate.pictures,
        "provenance": dict(sorted(gate.provenance.items())),
        "points": [_to_json(point) for point in gate.points],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_gate(path: Path) -> Gate:
    """Read what `write_gate` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no gate, or one of another schema; the text names the file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = content["schema"]
        if schema != SCHEMA:
            raise ValueError(f"schema {schema} is not {SCHEMA}; make it again with likeness calibrate")
        points = tuple(_from_json(point) for point in content["points"])
        return Gate(
            str(content["model"]),
            points,
            int(content["persons"]),
            int(content["pictures"]),
            {str(key): str(value) for key, value in content["provenance"].items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is no gate file: {error}") from error


def _to_json(point: OperatingPoint) -> dict[str, Any]:
    return {
        "references": point.references,
        "rate": point.rate,
        "threshold": round(point.threshold, 6),
        "false_accept_rate": float(f"{point.false_accept_rate:.4g}"),
        "false_accept_interval": [float(f"{end:.4g}") for end in point.false_accept_interval],
        "false_reject_rate": float(f"{point.false_reject_rate:.4g}"),
        "false_reject_interval": [float(f"{end:.4g}") for end in point.false_reject_interval],
        "is_bound": point.is_bound,
    }


def _from_json(content: dict[str, Any]) -> OperatingPoint:
    accept, reject = content["false_accept_interval"], content["false_reject_interval"]
    return OperatingPoint(
        references=int(content["references"]),
        rate=float(content["rate"]),
        threshold=float(content["threshold"]),
        false_accept_rate=float(content["false_accept_rate"]),
        false_accept_interval=(float(accept[0]), float(accept[1])),
        false_reject_rate=float(content["false_reject_rate"]),
        false_reject_interval=(float(reject[0]), float(reject[1])),
        is_bound=bool(content["is_bound"]),
    )
