"""How much the evaluation looks at, and where it keeps its work."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from loadtests.common.strangers import FIRST_PERSON
from loadtests.starter.methods import METHODS, Method
from loadtests.starter.prompts import EDITS, Prompt

WEIGHTS = Path(__file__).resolve().parents[2] / "starter" / "weights"


@dataclass(frozen=True)
class Scale:
    """Sizes of a run.

    Attributes:
        people: characters of whom portraits are made.
        trained: of how many of them adapters are trained.
        strangers: how many characters there are in all, at least; the others are only compared with.
        image_count: pictures of each person, prompt and method.
        reference_count: photos of each person that the services get.
        view_count: photos of each person in all; those that are no references give the ceiling.
        edits: the prompts beside the fixed one.
        methods: what is compared.
        work: folder of renders, pictures and what was read off them.
        data: renders to take instead of drawing, as starter/heads writes them; characters from 100,000 on.
        weights: the pack.
        photos: folder of further photographs for the section on them.
    """

    people: int = 12
    trained: int = 2
    strangers: int = 36
    image_count: int = 4
    reference_count: int = 4
    view_count: int = 6
    edits: tuple[Prompt, ...] = EDITS
    methods: tuple[Method, ...] = field(default=METHODS)
    work: Path = Path("out/eval-starter")
    data: Path | None = None
    weights: Path = WEIGHTS
    photos: Path | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of all characters, where they are drawn on the spot."""
        return tuple(range(FIRST_PERSON, FIRST_PERSON + max(self.people, self.strangers)))

    def quick(self) -> "Scale":
        """A run of minutes that tells whether everything works."""
        edits = tuple(self.edits[place] for place in (0, 10, 13))
        return replace(self, people=3, trained=0, strangers=18, image_count=2, edits=edits)
