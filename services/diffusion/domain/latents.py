"""What a picture is in latents: the autoencoder's posterior, from which programs draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LatentDistribution:
    """Gaussian per value: `mean` and `deviation` float32 [C, h, w], both scaled as the UNet sees latents."""

    mean: Array
    deviation: Array

    def sample(self, noise: Array) -> Array:
        """The draw that *noise* [C, h, w] of variance 1 stands for."""
        drawn: Array = self.mean + self.deviation * noise
        return drawn
