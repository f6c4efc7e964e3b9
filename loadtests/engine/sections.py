"""The parts of the run; each in a process of its own, so that none inherits another's threads or memory.

    python -m loadtests.engine.sections NAME --scale full --given '{"backend": "torch"}'

Writes its result to out/bench-engine/<scale>/<NAME>.json, which the report is made of.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from loadtests.engine.scale import SCALES, WORK, Scale


def main() -> None:
    """Runs one section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="machine, likeness, costs, sweep, eager, best, memory; then -BACKEND")
    parser.add_argument("--scale", choices=SCALES, required=True, help="how much is measured")
    parser.add_argument("--given", type=json.loads, default={}, help="results of earlier sections, JSON")
    options = parser.parse_args()
    scale = SCALES[options.scale]
    result = asyncio.run(_run(options.name.partition("-")[0], scale, options.given))
    path = result_file(scale, options.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(result, indent=1), encoding="utf-8")
    draft.replace(path)


def result_file(scale: Scale, name: str) -> Path:
    """Returns where a section leaves its result."""
    return WORK / scale.name / f"{name}.json"


async def _run(kind: str, scale: Scale, given: dict[str, Any]) -> dict[str, Any]:
    # Each imports the libraries that it measures, and no others.
    if kind == "machine":
        from loadtests.engine.parts import machine

        return machine.measure(scale)
    if kind in ("likeness", "costs", "sweep", "memory"):
        from loadtests.engine.parts import likeness as ours

        return await getattr(ours, kind)(scale, **given)
    from loadtests.engine.parts import diffusers

    return await getattr(diffusers, kind)(scale, **given)


if __name__ == "__main__":
    main()
