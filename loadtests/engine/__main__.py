"""`make bench-engine`: the diffusion engine against diffusers, in one run on one machine.

Same weights (starter/weights), same adapters, same requests: every picture in an identity of its own choice
of 64 and one of 4 styles, 8, 20 or 30 steps, guidance 3. Each part runs in a process of its own and leaves
its result in out/bench-engine/<scale>/; the report out/reports/bench-engine.json, .png and .md is made of
those, also after Ctrl-C. --resume takes the results that are there. Run it on an idle machine.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from loadtests.engine.report import bars, command_of, details_of, markdown, plot
from loadtests.engine.scale import FULL, QUICK, Scale
from loadtests.engine.sections import result_file
from loadtests.markdown import write_section
from shared.reports import REPORTS_FOLDER, write_report
from shared.threads import apply_thread_defaults

# Backend, and its precision where that is not float32.
BACKENDS = ("torch", "torch-bf16", "onnxruntime", "openvino", "openvino-bf16")


def main() -> None:
    """Runs what is not measured yet and writes the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="few requests and steps: to develop, not to publish"
    )
    parser.add_argument("--resume", action="store_true", help="keep the results of the last run's parts")
    parser.add_argument(
        "--backends", nargs="+", default=BACKENDS, choices=BACKENDS, help="UNet backends to compare"
    )
    parser.add_argument(
        "--all-costs",
        action="store_true",
        help="what adapters cost on every backend, not only on the fastest",
    )
    parser.add_argument("--no-run", action="store_true", help="only write the report of what is there")
    options = parser.parse_args()
    scale = QUICK if options.quick else FULL
    apply_thread_defaults()
    results = Results(scale, is_fresh=not options.resume and not options.no_run)
    if not options.no_run:
        try:
            run_all(results, options.backends, options.all_costs)
        except KeyboardInterrupt:
            print("Stopped; the report has what was measured so far. --resume goes on from here.", flush=True)
    report(results, options.quick)


class Results:
    """Results of the parts by name, on disk and in memory."""

    def __init__(self, scale: Scale, *, is_fresh: bool) -> None:
        self.scale = scale
        self.failed: dict[str, int] = {}
        folder = result_file(scale, "any").parent
        if is_fresh:
            for file in folder.glob("*.json"):
                file.unlink()
        self.known: dict[str, Any] = {}
        self.load()

    def load(self) -> None:
        """Reads what is on disk; a part that ended just before Ctrl-C is known only there."""
        for file in sorted(result_file(self.scale, "any").parent.glob("*.json")):
            self.known[file.stem] = json.loads(file.read_text(encoding="utf-8"))

    def need(self, name: str, **given: Any) -> Any | None:
        """Returns the result of a part, measured now if it is not known; None if its process failed."""
        if name not in self.known:
            print(f"{time.strftime('%H:%M:%S')} {name}", flush=True)
            command = [sys.executable, "-m", "loadtests.engine.sections", name, "--scale", self.scale.name]
            began_s = time.perf_counter()
            status = subprocess.run([*command, "--given", json.dumps(given)], check=False).returncode
            if status:
                # One part that fails must not take the others with it; the report says that it is missing.
                print(f"  failed with status {status}", flush=True)
                self.failed[name] = status
                return None
            print(f"  took {time.perf_counter() - began_s:.0f} s", flush=True)
            self.known[name] = json.loads(result_file(self.scale, name).read_text(encoding="utf-8"))
        return self.known[name]


def run_all(results: Results, backends: tuple[str, ...], has_all_costs: bool) -> None:
    """Measures every part in turn: the winner of our backends is the one that is compared."""
    results.need("machine")
    ours = [results.need(f"likeness-{backend}", backend=backend) for backend in backends]
    finished = [result for result in ours if result is not None]
    if not finished:
        return
    winner = max(finished, key=lambda result: result["images_per_s"])
    backend, capacity_per_s = winner["backend"], winner["images_per_s"]
    for result in finished if has_all_costs else [winner]:
        results.need(f"costs-{result['backend']}", backend=result["backend"])
    eager = results.need("eager", own_capacity_per_s=capacity_per_s)
    if eager is not None:
        results.need("best", own_capacity_per_s=capacity_per_s, set_adapters_s=eager["switch_s"])
    results.need("sweep", backend=backend, capacity_per_s=capacity_per_s)
    results.need("memory", backend=backend)


def report(results: Results, is_quick: bool) -> None:
    """Writes and prints the report of what is known."""
    results.load()
    measured = bars(results.known)
    details = details_of(results.known, results.failed)
    path = write_report("bench-engine", command_of(is_quick), measured, details)
    plot(details, path.with_suffix(".png"))
    print(write_section(REPORTS_FOLDER / "bench-engine.md", path, markdown(details)))


if __name__ == "__main__":
    main()
