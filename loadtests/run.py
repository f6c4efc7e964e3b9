"""`make load`: runs the Locust scenario against a server and writes the report.

Without --server an embedded server is started. Leaves out/reports/load.html (Locust's own report with
throughput and percentiles over time) and out/reports/load.json (the figures, comparable between runs).
"""

import argparse
import csv
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from cli.embedded import embedded_server
from shared.reports import Bar, write_report

REPORTS = Path("out/reports")
SCENARIO = Path(__file__).with_name("scenario.py")


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", metavar="HOST:PORT", help="server to load; default: an embedded one")
    parser.add_argument("--users", type=int, default=4, help="users at once (default 4)")
    parser.add_argument("--seconds", type=int, default=90, help="length of the run (default 90)")
    return parser.parse_args()


def main() -> None:
    """Runs the load test; exits with status 1 where a request failed."""
    options = arguments()
    REPORTS.mkdir(parents=True, exist_ok=True)
    server = nullcontext(options.server) if options.server else embedded_server(Console())
    with server as target:
        status = run_locust(target, options.users, options.seconds)
    rows = read_rows(REPORTS / "load_stats.csv")
    bars = measured_bars(rows)
    write_report(
        "load", f"python -m loadtests.run --users {options.users} --seconds {options.seconds}", bars, rows
    )
    sys.exit(1 if status not in (0, 1) or not all(bar.met for bar in bars) else 0)


def run_locust(target: str, users: int, seconds: int) -> int:
    """Runs the scenario without a page; returns Locust's exit status (1: some request failed)."""
    command = [sys.executable, "-m", "locust", "--locustfile", str(SCENARIO), "--headless", "--host", target]
    command += [
        "--users",
        str(users),
        "--spawn-rate",
        "2",
        "--run-time",
        f"{seconds}s",
        "--stop-timeout",
        "120",
    ]
    command += ["--html", str(REPORTS / "load.html"), "--csv", str(REPORTS / "load"), "--only-summary"]
    environment = {**os.environ, "PYTHONPATH": str(SCENARIO.parent.parent)}
    return subprocess.run(command, env=environment, check=False).returncode


def read_rows(path: Path) -> dict[str, dict[str, float]]:
    """Reads Locust's statistics: requests, failures, requests per second and percentiles in ms, by name."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {
        row["Name"]: {
            "request_count": float(row["Request Count"]),
            "failure_count": float(row["Failure Count"]),
            "requests_per_s": float(row["Requests/s"]),
            "p50_ms": float(row["50%"] or 0),
            "p95_ms": float(row["95%"] or 0),
            "p99_ms": float(row["99%"] or 0),
        }
        for row in rows
    }


def measured_bars(rows: dict[str, dict[str, float]]) -> list[Bar]:
    """Returns what a run is judged by: nothing failed, and portraits came out."""
    total, portraits = rows["Aggregated"], rows.get("portrait", {})
    return [
        Bar("failed requests", total["failure_count"], 0, "<="),
        Bar("portraits", portraits.get("request_count", 0.0), 1, ">="),
    ]


if __name__ == "__main__":
    main()
