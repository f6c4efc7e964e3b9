"""Ways to draw a portrait sooner: fewer steps, guidance on a share of them, an adapter that needs none."""

from collections.abc import Sequence
from dataclasses import dataclass

from likeness.diffusion.v1 import diffusion_pb2 as pb

from starter.sampling import Guidance
from starter.train.fewstep import NAME
from starter.train.fewstep import SAMPLER as FEW_STEP_SAMPLER

SAMPLER = "dpmpp_2m"
"""Of the plain ways: of those that the service has, the one that needs fewest steps."""
_SCALES = Guidance()


@dataclass(frozen=True)
class Way:
    """One way of drawing.

    Attributes:
        key: name in the JSON report and on files.
        steps: denoising steps.
        scales: guidance towards prompt and person; None: no guidance.
        guided_share: share of the steps, from the first on, that are guided.
        adapter: name of an adapter that takes part; None: none.
    """

    key: str
    steps: int
    scales: tuple[float, float] | None = (_SCALES.text, _SCALES.identity)
    guided_share: float = 1.0
    adapter: str | None = None

    @property
    def title(self) -> str:
        """Name in tables and headings."""
        steps = f"{self.steps} steps"
        if self.scales is None:
            return f"{steps}, adapter {self.adapter}" if self.adapter else f"{steps}, no guidance"
        which = "one scale" if self.scales[0] == self.scales[1] else "two scales"
        share = "" if self.guided_share == 1 else f" on the first {self.guided_share:.0%}"
        return f"{steps}, guided by {which}{share}"

    @property
    def rows(self) -> int:
        """Rows of the UNet that a picture takes: 3 a step with two scales, 2 with one, 1 without guidance."""
        if self.scales is None:
            return self.steps
        each = 2 if self.scales[0] == self.scales[1] else 3
        guided = sum(index / self.steps < self.guided_share for index in range(self.steps))
        return guided * each + (self.steps - guided)

    def fill(self, request: pb.GenerateRequest) -> None:
        """Sets what this way needs in a request."""
        request.step_count = self.steps
        request.sampler = SAMPLER if self.adapter is None else FEW_STEP_SAMPLER
        request.guidance_scale = 1.0 if self.scales is None else self.scales[0]
        if self.scales is not None and self.scales[0] != self.scales[1]:
            request.identity_guidance_scale = self.scales[1]
        if self.guided_share < 1:
            request.guidance_interval.end_share = self.guided_share
        if self.adapter is not None:
            request.adapters.add(name=self.adapter, weight=1.0)


FULL = Way("full", 20)
_ONE = (_SCALES.text, _SCALES.text)
WAYS = (
    FULL,
    Way("eight", 8),
    Way("eight_half", 8, guided_share=0.5),
    Way("four", 4),
    Way("four_pairs", 4, _ONE),
    Way("two_pairs", 2, _ONE),
    Way("few_8", 8, None, adapter=NAME),
    Way("few_6", 6, None, adapter=NAME),
    Way("few_4", 4, None, adapter=NAME),
)
"""What is compared; `FULL` comes first, as the others are held against it."""


def rivals(way: Way, ways: Sequence[Way] = WAYS) -> list[Way]:
    """Returns the ways without an adapter that take no more rows than *way*."""
    return [other for other in ways if other.adapter is None and other.rows <= way.rows]
