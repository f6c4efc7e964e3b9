"""How much is measured: the full run for figures to publish, the quick one while developing."""

from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).resolve().parents[2] / "starter" / "weights"
WORK = Path("out/bench-engine")
IN_FLIGHT = 8
SEED = 4


@dataclass(frozen=True)
class Scale:
    """Numbers of requests and repeats.

    Attributes:
        name: Folder of the sections' results.
        closed_count: Requests of a closed loop.
        sweep_count: Requests of one arrival rate, for every system.
        own_sweep_count: The same for our engine, whose runs are shorter; the first ones are the others'.
        loads: Arrival rates of our sweep, as shares of our capacity.
        baseline_loads: Arrival rates of a baseline's sweep, as shares of its own capacity; 70 % of ours is
            added.
        identity_count: Identity adapters.
        step_counts: Steps that requests ask for.
        repeats: Calls that a timing is the median of.
        join_count: Requests that join a busy engine.
        memory_count: Pictures of the memory test.
        use_compile: Whether torch.compile is tried for diffusers at its best.
    """

    name: str
    closed_count: int
    sweep_count: int
    own_sweep_count: int
    loads: tuple[float, ...]
    baseline_loads: tuple[float, ...]
    identity_count: int
    step_counts: tuple[int, ...]
    repeats: int
    join_count: int
    memory_count: int
    use_compile: bool


FULL = Scale(
    name="full",
    closed_count=40,
    sweep_count=24,
    own_sweep_count=80,
    loads=(0.5, 0.7, 0.85, 1.0, 1.3),
    baseline_loads=(0.6, 0.9, 1.2),
    identity_count=64,
    step_counts=(8, 20, 30),
    repeats=20,
    join_count=20,
    memory_count=2000,
    use_compile=True,
)
QUICK = Scale(
    name="quick",
    closed_count=12,
    sweep_count=8,
    own_sweep_count=12,
    loads=(0.7, 1.3),
    baseline_loads=(0.8,),
    identity_count=16,
    step_counts=(2, 5, 8),
    repeats=6,
    join_count=6,
    memory_count=120,
    use_compile=False,
)
SCALES = {scale.name: scale for scale in (FULL, QUICK)}
