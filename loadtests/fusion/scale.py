"""How much an evaluation looks at, and where it keeps its work."""

from dataclasses import dataclass, replace
from pathlib import Path

from loadtests.common.strangers import FIRST_PERSON, SEED

__all__ = ["FIRST_PERSON", "SEED", "Scale"]


@dataclass(frozen=True)
class Scale:
    """Sizes of a run.

    Attributes:
        people: characters.
        reference_count: photos of each that the services get.
        probe_count: further photos of each, for the gate alone.
        candidate_count: portraits generated of each.
        compared_count: how many of the candidates are fused in the peers' ways too, and upscaled.
        delivered_count: of how many people portraits are made through the orchestrator as well.
        work: folder of renders, generated pictures and results.
        style: style whose prompt and strengths are used.
        data: renders to take instead of drawing, as starter/heads writes them; characters from 100,000 on.
    """

    people: int = 12
    reference_count: int = 4
    probe_count: int = 3
    candidate_count: int = 20
    compared_count: int = 6
    delivered_count: int = 4
    work: Path = Path("out/eval-fusion")
    style: str = "studio"
    data: Path | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the characters."""
        return tuple(range(FIRST_PERSON, FIRST_PERSON + self.people))

    @property
    def view_count(self) -> int:
        """Photos of each person. One more than needed: dlib may miss a face."""
        return self.reference_count + self.probe_count + 1

    def person_folder(self, number: int) -> Path:
        """Returns where a person's result lies."""
        return self.work / "people" / str(number)

    def quick(self) -> "Scale":
        """A run of minutes that tells whether everything works."""
        return replace(self, people=3, candidate_count=8, compared_count=2, delivered_count=1)
