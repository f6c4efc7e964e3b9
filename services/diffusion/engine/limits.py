"""Bounds and threads of the engine."""

from concurrent.futures import Executor
from dataclasses import dataclass


@dataclass(frozen=True)
class BatchLimits:
    """`max_rows` share a UNet call, `max_active` pictures take turns, `max_waiting` more stand in line.

    `max_images` share a call of the image autoencoder.
    """

    max_rows: int
    max_active: int
    max_waiting: int
    max_images: int = 4


@dataclass(frozen=True)
class Threads:
    """One thread each: UNet calls with program steps, the image autoencoder, text encoding.

    None waits for another. Each call of an executor must end before the next one begins.
    """

    unet: Executor
    decode: Executor
    prepare: Executor
