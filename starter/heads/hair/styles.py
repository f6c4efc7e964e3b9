"""The table of haircuts, and the quirks by which two people wear the same cut differently."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starter.heads.hair import flows
from starter.heads.surface import HeadSurface


@dataclass(frozen=True)
class Quirks:
    """hairline: shift in decimetres. variant: 0, 1 or 2. volume, length, level: range [0, 1]."""

    hairline: float
    variant: int
    leans_right: bool
    volume: float
    length: float
    level: float


def quirks_of(seed: int) -> Quirks:
    """Quirks of the person with this seed."""
    return Quirks(
        hairline=(seed % 100 - 50) * 0.0012,
        variant=seed % 3,
        leans_right=seed % 2 == 1,
        volume=(seed // 3) % 5 / 4,
        length=(seed // 7) % 5 / 4,
        level=(seed // 13) % 5 / 4,
    )


@dataclass(frozen=True)
class Cut:
    """How strands of a style grow.

    length: in half head depths. steps: points along a strand while growing. end_y: where scissors cut, from
    the head and the person's level. parting: its x on the reference head. width, taper: of strands.
    cap: rise of the shell underneath. rests_on_head: kept above the skin. gathered: runs to a knot.
    half_strip: strands grow only this near to the middle (decimetres on the reference head).
    above_y: and only above this height.
    """

    strands: int
    length: float
    flow: flows.Flow
    steps: int = 10
    end_y: Callable[[HeadSurface, float], float] | None = None
    parting: Callable[[Quirks], float] = lambda quirks: 0.2 * quirks.leans_right
    width: float = 1.0
    taper: float = 0.45
    cap: float = 0.11
    rests_on_head: bool = True
    lies_flat: bool = False
    has_fringe: bool = False
    gathered: bool = False
    half_strip: float = 9.0
    above_y: float = 0.0


def _side_parting(quirks: Quirks) -> float:
    return -0.28 if quirks.variant == 0 else 0.28


def _middle(quirks: Quirks) -> float:
    del quirks
    return 0.0


def _at_jaw(shift: float, spread: float) -> Callable[[HeadSurface, float], float]:
    """Cut `shift` decimetres above the jaw, and up to `spread` higher for another level."""
    return lambda surface, level: surface.jaw_y + shift + spread * level


CUTS: Mapping[str, Cut] = {
    "short": Cut(650, 0.55, flows.short, cap=0.09, width=0.85),
    "spiky": Cut(420, 0.5, flows.spiky, cap=0.08, width=1.1, taper=0.9, rests_on_head=False),
    "slicked": Cut(600, 0.9, flows.slicked, cap=0.08, lies_flat=True),
    "side-part": Cut(650, 0.95, flows.side_part, parting=_side_parting),
    "bob": Cut(620, 3.0, flows.bob, steps=18, parting=_middle, end_y=_at_jaw(0.1, 0.35)),
    "fringe": Cut(660, 3.4, flows.fringe, steps=18, end_y=_at_jaw(-0.3, 0.9), has_fringe=True),
    "curtain": Cut(620, 2.4, flows.curtain, steps=18, parting=_middle, end_y=_at_jaw(0.75, 0.5)),
    "long": Cut(680, 4.3, flows.long, steps=18, parting=_middle, end_y=_at_jaw(-0.75, -0.5)),
    "wavy": Cut(620, 4.3, flows.wavy, steps=20, parting=_side_parting, end_y=_at_jaw(-0.3, -0.6), width=0.95),
    "pixie": Cut(720, 0.62, flows.pixie, cap=0.08, width=0.8, parting=_side_parting),
    "undercut": Cut(
        420, 1.0, flows.undercut, parting=_side_parting, cap=0.035, half_strip=0.47, above_y=7.85, width=0.95
    ),
    "mohawk": Cut(330, 0.62, flows.mohawk, cap=0.03, half_strip=0.16, rests_on_head=False, taper=0.7),
    "locs": Cut(
        150, 3.4, flows.draped, steps=18, end_y=_at_jaw(-0.15, -0.6), width=1.75, taper=0.9, cap=0.06
    ),
    "braids": Cut(620, 1.5, flows.to_knot, cap=0.08, lies_flat=True, gathered=True, parting=_middle),
    "pigtails": Cut(620, 1.5, flows.to_knot, cap=0.08, lies_flat=True, gathered=True, parting=_middle),
    "ponytail": Cut(620, 1.5, flows.to_knot, cap=0.08, lies_flat=True, gathered=True),
    "bun": Cut(620, 1.5, flows.to_knot, cap=0.08, lies_flat=True, gathered=True),
}

CAP_THICKNESS: Mapping[str, float] = {
    **{name: cut.cap for name, cut in CUTS.items()},
    "buzzcut": 0.035,
    "afro": 0.16,
}
"""Rise in decimetres of the shell under the strands."""
