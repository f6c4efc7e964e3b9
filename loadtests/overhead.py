"""`make bench-overhead`: what the orchestrator adds to its stages' own time.

Makes train-free portraits of a sample identity and compares the wall time from start to end with the sum of
the stages' own times, both as the service reports them. Leaves out/reports/bench-overhead.json.
"""

import argparse
import statistics
from contextlib import nullcontext
from pathlib import Path

from likeness.orchestrator.v1 import resources_pb2
from rich.console import Console

from cli.client import LikenessClient, read_photos
from cli.embedded import embedded_server
from cli.live import follow, seconds, stage_name
from shared.reports import Bar, write_report

SAMPLE = Path(__file__).resolve().parent.parent / "starter" / "samples" / "ada"
GOAL_SHARE = 0.05


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", metavar="HOST:PORT", help="server to use; default: an embedded one")
    parser.add_argument("--repeats", type=int, default=3, help="portraits to make (default 3)")
    options = parser.parse_args()
    console = Console()
    server = nullcontext(options.server) if options.server else embedded_server(console)
    with server as target, LikenessClient(target, "bench") as client:
        identity = client.create_identity(read_photos(sorted(SAMPLE.glob("*.png"))), "Ada")
        runs = [measure(client, console, identity.name, seed) for seed in range(options.repeats)]
    share = statistics.median(run["overhead_share"] for run in runs)
    bars = [Bar("overhead of the wall time", share, GOAL_SHARE, "<=")]
    write_report(
        "bench-overhead", f"python -m loadtests.overhead --repeats {options.repeats}", bars, {"runs": runs}
    )


def measure(client: LikenessClient, console: Console, identity: str, seed: int) -> dict[str, float]:
    """Makes one portrait; returns wall time, stage times and the share that no stage accounts for."""
    spec = resources_pb2.PortraitSpec(
        identity=identity,
        portrait_count=2,
        candidate_count=4,
        mode=resources_pb2.IDENTITY_MODE_TRAIN_FREE,
        seed=seed,
    )
    portrait = follow(client.watch_portrait(client.create_portrait(spec).name), console)
    wall_s = (portrait.end_time.ToDatetime() - portrait.start_time.ToDatetime()).total_seconds()
    stages = {stage_name(known.stage): seconds(known.duration) for known in portrait.stage_times}
    return {"wall_s": wall_s, "overhead_share": 1 - sum(stages.values()) / wall_s, **stages}


if __name__ == "__main__":
    main()
