"""What the autoencoder loses: PSNR on held-out renders, of the whole picture, eyes and mouth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loadtests.common.intervals import Estimate, ratio_of_people
from loadtests.common.progress import Progress
from starter.data.manifest import Sample

REGIONS = ("whole", "eyes", "mouth")
_BATCH = 8
_EYES = ("SCLERA", "IRIS", "LASHES")
_MOUTH = ("LIPS", "TEETH", "INSIDE_MOUTH")


@dataclass
class Reconstructions:
    """What came of the autoencoder.

    Attributes:
        sums: region -> person -> (squared error, number of values) of each picture; values in [0, 255].
        pictures: RGB uint8 (H, W, 3) after the autoencoder, with the sample and the PSNR of the eyes.
    """

    sums: dict[str, dict[int, list[tuple[float, float]]]] = field(
        default_factory=lambda: {region: {} for region in REGIONS}
    )
    pictures: list[tuple[Sample, NDArray[np.uint8], float]] = field(default_factory=list)

    def figures(self) -> dict[str, dict[str, float | int] | None]:
        """Returns each region's PSNR in dB; None where no picture shows the region."""
        return {
            region: psnr_of_people(people).as_json() if people else None
            for region, people in self.sums.items()
        }


def reconstruct(vae_folder: Path, samples: Sequence[Sample]) -> Reconstructions:
    """Encodes and decodes renders with the pack's autoencoder, in this process, one thread.

    Region masks are grown by one pixel of the part map, so that the rim of an eye counts as eye.
    """
    # torch takes seconds to load, and only this measure needs it.
    import torch

    from starter.data.parts import Part, loss_weights
    from starter.data.pixels import load_pixels, to_bytes, to_unit
    from starter.models.vae import FoldedAutoencoder

    vae, found = FoldedAutoencoder.load(vae_folder), Reconstructions()
    tables = {}
    for region, parts in (("eyes", _EYES), ("mouth", _MOUTH)):
        tables[region] = torch.zeros(32)
        tables[region][[Part[name] for name in parts]] = 1.0
    progress = Progress("autoencoder", len(samples), every=_BATCH * 4)
    for start in range(0, len(samples), _BATCH):
        part = samples[start : start + _BATCH]
        pixels = load_pixels(part)
        with torch.no_grad():
            output = to_bytes(vae.decode(vae.encode(to_unit(pixels.images))))
        masks = {name: loss_weights(pixels.parts, table, output.shape[-1]) for name, table in tables.items()}
        masks["whole"] = torch.ones_like(masks["eyes"])
        before, after = pixels.images.numpy(), output.numpy()
        for place, sample in enumerate(part):
            errors = {
                name: error_sum(before[place], after[place], mask[place, 0].numpy())
                for name, mask in masks.items()
            }
            for region in REGIONS:
                if errors[region][1] > 0:
                    found.sums[region].setdefault(sample.identity, []).append(errors[region])
            found.pictures.append(
                (sample, np.ascontiguousarray(after[place].transpose(1, 2, 0)), psnr(*errors["eyes"]))
            )
            progress.advance()
    return found


def error_sum(
    before: NDArray[np.uint8], after: NDArray[np.uint8], weights: NDArray[np.float32]
) -> tuple[float, float]:
    """Returns the weighted squared error and the weight of all values; pictures (3, H, W), weights (H, W)."""
    squared = np.square(before.astype(np.float64) - after.astype(np.float64)) * weights
    return float(squared.sum()), float(3 * weights.sum())


def psnr(error: float, count: float) -> float:
    """Returns 10 log10(255² / mean squared error); 99 dB where nothing differs or nothing is there."""
    return 99.0 if error <= 0 or count <= 0 else float(10 * np.log10(255**2 * count / error))


def psnr_of_people(sums: Mapping[int, Sequence[tuple[float, float]]]) -> Estimate:
    """Returns the PSNR of the mean squared error over all people, with its interval."""
    mse = ratio_of_people(sums)
    low, high = psnr(mse.high, 1.0), psnr(mse.low, 1.0)
    return Estimate(psnr(mse.value, 1.0), low, high, mse.people, mse.count)
