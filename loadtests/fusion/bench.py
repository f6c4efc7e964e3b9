"""`make bench-fusion`: how long each step after generation takes, for one candidate of 256 px.

Face analysis and fusion run in this process as they are shipped, so that the times inside of a call are known
too: what a stage takes is what the service itself measures; PNG, protobuf and gRPC are in "whole call" and
stand apart. Candidates are the last renders of the sample characters, with four references each. As peers, in
the same run: fusion with five points and no part map, as it was, and OpenCV's seamlessClone alone.

    python -m loadtests.fusion.bench                on an idle machine
    python -m loadtests.fusion.bench --quick --json

Leaves out/reports/bench-fusion.json and .md.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from loadtests.fusion.scale import Scale
from loadtests.markdown import table, write_section
from shared.reports import REPORTS_FOLDER, Bar, write_report
from shared.threads import apply_thread_defaults

SAMPLES = Path(__file__).resolve().parents[2] / "starter" / "samples"
REPEATS, QUICK_REPEATS = 30, 3
GOAL_MS = 60.0
# What is done to each candidate beside its embedding; enhancing has a budget of its own.
COUNTED = ("fuse", "restore_texture", "restore_marks", "rank")
_STRUCTURE = "structure net: landmarks and parts"


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.fusion.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, help=f"measurements of each (default {REPEATS})")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_REPEATS} measurements: to try out")
    parser.add_argument("--style", default="studio", help="style whose strengths are used (default studio)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, and nothing else")
    options = parser.parse_args()
    repeats = options.repeats if options.repeats is not None else QUICK_REPEATS if options.quick else REPEATS
    if repeats < 1:
        parser.error("--repeats: a whole number from 1 on")
    apply_thread_defaults()
    try:
        details = measure(options.style, repeats)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    command = "python -m loadtests.fusion.bench" + (" --quick" if options.quick else "")
    command += f" --repeats {options.repeats}" if options.repeats is not None else ""
    with redirect_stdout(sys.stderr if options.json else sys.stdout):
        path = write_report("bench-fusion", command, bars_of(details), details)
    text = write_section(REPORTS_FOLDER / "bench-fusion.md", path, markdown(details))
    print(path.read_text("utf-8") if options.json else text)


def measure(style: str, repeats: int) -> dict[str, Any]:
    """Returns medians and 95th percentiles of all stages, in milliseconds."""
    from loadtests.common.services import Reader, open_services
    from loadtests.fusion.inside import served
    from loadtests.fusion.options import style_of
    from loadtests.fusion.stages import Bench, Case, summary

    strength = style_of(style).fusion
    with served() as target, open_services(target) as services:
        reader, cases = Reader(services), []
        for folder in sorted(path for path in SAMPLES.iterdir() if path.is_dir()):
            photos = [path.read_bytes() for path in sorted(folder.glob("*.png"))]
            *references, candidate = reader.read(photos, marks=True)
            cases.append(Case(candidate, references[: Scale().reference_count]))
        bench = Bench(services, strength)
        bench.run(cases, repeats)
        bench.inside_analysis([case.candidate.data for case in cases], repeats)
    return {
        "stages": summary(bench.ms),
        "problems": bench.problems,
        "threads": int(os.environ.get("OMP_NUM_THREADS", 0)),
        "references": Scale().reference_count,
        "cases": len(cases),
    }


def bars_of(details: Mapping[str, Any]) -> list[Bar]:
    """Returns the bar of the whole; none where a stage could not be measured."""
    stages = details["stages"]
    if any(name not in stages for name in COUNTED):
        return []
    total = sum(stages[name]["p50"] for name in COUNTED)
    bars = [Bar("fuse + restore + rank of one candidate, ms", total, GOAL_MS, "<=")]
    if _STRUCTURE in stages:
        with_net = total + stages[_STRUCTURE]["p50"]
        bars.append(Bar("the same with the structure net, ms", with_net, GOAL_MS, "<="))
    return bars


def markdown(details: Mapping[str, Any]) -> str:
    """Returns the tables for the documentation."""
    stages = details["stages"]
    whole = ", whole call"
    rows = [
        [
            name,
            *_times(known),
            *(_times(stages[name + whole]) if name + whole in stages else ["", ""]),
        ]
        for name, known in stages.items()
        if not name.endswith(whole)
    ]
    headings = ["stage", "p50 ms", "p95 ms", "whole call p50 ms", "p95 ms"]
    parts = [
        f"{details['cases']} candidates of 256 px, {details['references']} references each, "
        f"{details['threads']} threads an operator, one call at a time:",
        table(headings, rows),
    ]
    parts += [f"{name} could not be measured: {why}" for name, why in details["problems"].items()]
    return "\n\n".join(parts)


def _times(known: Mapping[str, float]) -> list[str]:
    return [f"{known['p50']:.2f}", f"{known['p95']:.2f}"]


if __name__ == "__main__":
    main()
