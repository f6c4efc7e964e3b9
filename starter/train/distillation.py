"""What a student learns that takes few steps without guidance: the arithmetic, for any teacher.

Multistep consistency distillation (Heek et al., "Multistep consistency models", arXiv 2403.06807; with LoRA
as in Luo et al., "LCM-LoRA", arXiv 2311.05556, and Wang et al., "Phased consistency model", 2405.18407).
The noise levels are cut into as many segments as the student will take steps. From any level of a segment
the student is to jump to where the teacher's path leaves the segment: one guided step of the teacher, then
the student's own averaged weights for the rest. A jump is a step of DDIM, so any DDIM sampler with trailing
timesteps runs the student. Where the teacher's step already ends the segment there is no rest: that is the
boundary from which what is known spreads over the segment. With as many segments as the teacher takes steps
this is the distillation of guidance alone (Meng et al., "On distillation of guided diffusion models", arXiv
2210.03142), whose student any sampler runs.

Velocities are those of v-prediction (Salimans and Ho, arXiv 2202.00512): the clean latents are `a x - s v`
with a squared signal `a^2` and `s^2 = 1 - a^2`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

CLEAN = -1
"""The timestep of a clean sample."""
Predict = Callable[[Tensor, Tensor], Tensor]
"""(noisy (B, C, h, w), timesteps int64 (B,)) -> velocity (B, C, h, w)."""


@dataclass(frozen=True)
class Segments:
    """How the timesteps are cut.

    Attributes:
        alphas_cumprod: (T,), the squared signal of each timestep.
        count: segments, which is the number of steps that the student is made for; divides `fine`.
        fine: steps of the teacher over all timesteps; divides T.
    """

    alphas_cumprod: Tensor
    count: int
    fine: int

    def __post_init__(self) -> None:
        if len(self.alphas_cumprod) % self.fine or self.fine % self.count:
            raise ValueError("the student's steps must divide the teacher's, and those the timesteps")

    def timesteps(self) -> Tensor:
        """The teacher's timesteps int64 (fine,), from the noisiest on: trailing, as samplers call it."""
        stride = len(self.alphas_cumprod) // self.fine
        return torch.arange(len(self.alphas_cumprod), 0, -stride) - 1

    def after(self, timesteps: Tensor) -> Tensor:
        """Where the teacher's step from `timesteps` ends; `CLEAN` after the last."""
        return timesteps - len(self.alphas_cumprod) // self.fine

    def end(self, timesteps: Tensor) -> Tensor:
        """Where the segment of `timesteps` ends, which is the start of the next; `CLEAN` for the last."""
        length = len(self.alphas_cumprod) // self.count
        return torch.div(timesteps, length, rounding_mode="floor") * length - 1

    def signal_and_noise(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """Amplitudes (a, s) of signal and noise at `timesteps`, each (B, 1, 1, 1); 1 and 0 where `CLEAN`."""
        squared = torch.where(timesteps < 0, 1.0, self.alphas_cumprod[timesteps.clamp(min=0)])
        squared = squared.view(-1, 1, 1, 1)
        return squared.sqrt(), (1 - squared).sqrt()

    def jump(self, noisy: Tensor, velocity: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """One DDIM step from timesteps `start` to `end`, without new noise; where they are equal, `noisy`."""
        signal, noise = self.signal_and_noise(start)
        clean, direction = signal * noisy - noise * velocity, noise * noisy + signal * velocity
        signal, noise = self.signal_and_noise(end)
        return signal * clean + noise * direction

    def velocity_of_jump(self, noisy: Tensor, landed: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """The velocity with which `jump` goes from `noisy` to `landed`; `end` is less noisy than `start`.

        With the angles of Salimans and Ho, a = cos p and s = sin p, a jump turns (noisy, velocity) by the
        difference d of the angles: landed = cos d noisy - sin d velocity.
        """
        (a0, s0), (a1, s1) = self.signal_and_noise(start), self.signal_and_noise(end)
        cosine, sine = a0 * a1 + s0 * s1, s0 * a1 - a0 * s1
        return (cosine * noisy - landed) / sine


def target_velocity(
    segments: Segments, noisy: Tensor, timesteps: Tensor, teacher: Predict, student: Predict
) -> Tensor:
    """The velocity that takes the student from `noisy` (B, C, h, w) to the end of its segment in one jump.

    Args:
        segments: how the timesteps are cut.
        noisy: samples at `timesteps`.
        timesteps: int64 (B,), of `Segments.timesteps`.
        teacher: guided; asked once.
        student: the average of the student's weights; asked about those that have not arrived yet.
    """
    between, end = segments.after(timesteps), segments.end(timesteps)
    landed = segments.jump(noisy, teacher(noisy, timesteps), timesteps, between)
    rows = (between > end).nonzero().flatten()
    if len(rows):
        rest = student(landed[rows], between[rows])
        landed[rows] = segments.jump(landed[rows], rest, between[rows], end[rows])
    return segments.velocity_of_jump(noisy, landed, timesteps, end)
