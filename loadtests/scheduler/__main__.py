"""`make bench-scheduler`: what the scheduler is worth on a GPU, without one.

The product's row batcher and denoiser loop serve Poisson arrivals over a stand-in for the UNet whose calls
cost what a published measurement says of a GPU. Time is virtual, so the result is exact and the same on
every machine. Leaves out/reports/bench-scheduler.json, .png and .md.
"""

import argparse

from loadtests.markdown import write_section
from loadtests.scheduler.curve import MAX_BATCH, PUBLISHED_SPEEDUP, SINGLE_CALL_S
from loadtests.scheduler.report import bars, markdown, plot
from loadtests.scheduler.sweep import ENGINE, LOADS, sweep
from shared.reports import REPORTS_FOLDER, write_report

FULL_COUNT, QUICK_COUNT = 600, 120


def main() -> None:
    """Runs the sweep and writes the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_COUNT} requests per point only")
    options = parser.parse_args()
    count = QUICK_COUNT if options.quick else FULL_COUNT
    points = []
    for point in sweep(count):
        points.append(point)
        latency = point["latency_s"]
        print(
            f"{point['identities']!s:>13} identities, {point['rate_per_s']:5.2f}/s, {point['system']:<13}: "
            f"{point['images_per_s']:.2f} images/s, p50 {latency['p50']:.1f} s, p99 {latency['p99']:.1f} s",
            flush=True,
        )
    own = [point["own_ms_per_call"] for point in points if point["system"] == ENGINE]
    details = {
        "curve": {str(size): speedup for size, speedup in PUBLISHED_SPEEDUP.items()},
        "single_call_s": SINGLE_CALL_S,
        "max_batch": MAX_BATCH,
        "requests_per_point": count,
        "loads": LOADS,
        "scheduler_own_ms_per_call": sum(own) / len(own),
        "points": points,
    }
    command = "python -m loadtests.scheduler" + (" --quick" if options.quick else "")
    path = write_report("bench-scheduler", command, bars(points), details)
    plot(points, path.with_suffix(".png"))
    own_time = f"The loop's own time: {sum(own) / len(own):.2f} ms of Python per call."
    body = "\n\n".join([markdown(points), own_time])
    print(write_section(REPORTS_FOLDER / "bench-scheduler.md", path, body))


if __name__ == "__main__":
    main()
