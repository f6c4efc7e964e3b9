"""`make bench-torch`: how long does one portrait of the starter pack take in plain torch?

The shortest correct loop (starter/sampling.py) on the pack, one picture at a time, text encoding and
decoding included: as written, and with the network compiled with its weights as constants. Both ways take
turns, so that a busy machine slows both, and draw from the same seeds, so that their pictures can be held
against each other. The services draw faster, on OpenVINO (`make bench-engine`); this is
what somebody gets who loads the folder in torch. Compiling takes about a minute for each number of rows.
Leaves out/reports/bench-torch.json and .md.

    python -m loadtests.torch_speed
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loadtests.common.arguments import count
from loadtests.markdown import table, write_section
from shared.reports import Bar, write_report
from starter.models.generator import Generator
from starter.models.vae import FoldedAutoencoder
from starter.pack import WEIGHTS
from starter.sampling import FrozenGenerator, Guidance, draw
from starter.train.restore_figures import psnr_db

PLAIN, FROZEN = "autocast, eager", "bfloat16, compiled, weights frozen"
WAYS: Mapping[str, tuple[int, Guidance]] = {
    "20 steps, guided by two scales": (20, Guidance(3.0, 4.0)),
    "20 steps, guided by one scale": (20, Guidance(3.0, 3.0)),
    "8 steps, one row": (8, Guidance(1.0, 1.0)),
    "4 steps, one row": (4, Guidance(1.0, 1.0)),
}
"""What is timed. One row a step is what the adapter fewstep needs; merged, as it costs nothing then."""
_THREADS = 2
_CAPTION = "portrait of a young woman, smiling, red wavy hair, forest background, soft light"


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=count, default=7, metavar="N", help="pictures of each (default 7)")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FOLDER", help="the pack")
    options = parser.parse_args()
    if not (options.weights / "unet").is_dir():
        parser.error(f"--weights: {options.weights} holds no pack: it has no unet/")
    torch.set_num_threads(_THREADS)
    model, vae = Generator.load(options.weights), FoldedAutoencoder.load(options.weights / "vae")
    networks = {PLAIN: model, FROZEN: FrozenGenerator(model)}
    drawn = {way: drawn_by(networks, vae, *WAYS[way], options.repeats) for way in WAYS}
    decode_s = median_s(lambda: decode(vae), options.repeats)
    report(drawn, decode_s, options.repeats)


@dataclass(frozen=True)
class Drawn:
    """Median seconds of a picture by network; how alike their pictures of the same seeds are, PSNR in dB."""

    seconds: dict[str, float]
    alike_db: float


def drawn_by(
    networks: Mapping[str, Generator], vae: FoldedAutoencoder, steps: int, guidance: Guidance, repeats: int
) -> Drawn:
    """Pictures of both networks in turns; the first round, which compiles, is not timed."""
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    pictures: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in networks}
    person = torch.nn.functional.normalize(torch.ones(1, 128), dim=1)
    for round_number in range(repeats + 1):
        for name, network in networks.items():
            began = time.perf_counter()
            picture = draw(network, vae, [_CAPTION], person, guidance, steps, seed=round_number)
            if round_number:
                seconds[name].append(time.perf_counter() - began)
            else:
                print(f"{steps} steps, {len(guidance.rows)} rows, {name}: ready", flush=True)
            pictures[name].append(picture[0].numpy())
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return Drawn(medians, psnr_db(pictures[FROZEN], pictures[PLAIN]))


@torch.no_grad()
def decode(vae: FoldedAutoencoder) -> None:
    """One latent to one picture."""
    with torch.autocast("cpu", torch.bfloat16):
        vae.decode(torch.randn(1, 32, 16, 16, generator=torch.Generator().manual_seed(0)))


def median_s(work: Callable[[], None], repeats: int) -> float:
    """Median seconds of `work`, after one call that is not counted."""
    work()
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def report(drawn: Mapping[str, Drawn], decode_s: float, repeats: int) -> None:
    """Write and print what was found."""
    ways = list(WAYS)
    bars = [
        Bar(f"{ways[0]}, s", drawn[ways[0]].seconds[FROZEN], 1.0, "<="),
        Bar(f"{ways[1]}, s", drawn[ways[1]].seconds[FROZEN], 1.0, "<="),
        Bar(f"{ways[2]}, s", drawn[ways[2]].seconds[FROZEN], 0.4, "<="),
        Bar("decoding, s", decode_s, 0.06, "<="),
    ]
    details: dict[str, Any] = {"drawn": {way: asdict(found) for way, found in drawn.items()}}
    details |= {"decode_s": decode_s, "repeats": repeats}
    path = write_report("bench-torch", f"python -m loadtests.torch_speed --repeats {repeats}", bars, details)
    print(write_section(path.with_suffix(".md"), path, markdown_of(drawn, decode_s)))


def markdown_of(drawn: Mapping[str, Drawn], decode_s: float) -> str:
    """The figures as a table, in milliseconds, with the ratio of the two ways and how alike they draw."""
    rows = [
        [
            way,
            *(f"{found.seconds[name] * 1000:.0f}" for name in (PLAIN, FROZEN)),
            f"{found.seconds[PLAIN] / found.seconds[FROZEN]:.2f}x",
            f"{found.alike_db:.1f}",
        ]
        for way, found in drawn.items()
    ]
    columns = table(["a picture, ms", PLAIN, FROZEN, "faster", "alike, dB"], rows)
    return f"{columns}\n\nDecoding takes {decode_s * 1000:.0f} ms of each."


if __name__ == "__main__":
    main()
