"""CI's quality gate: portraits of the committed sample people, held against committed floors.

Everything is fixed: people, prompts, seeds, method; nothing is taken from earlier runs. The same machine
gives the same figures; others differ by what their arithmetic rounds differently, which the tolerances leave
room for.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtests.common.drawing import Drawings, default_model
from loadtests.common.judge import open_judge
from loadtests.common.progress import Progress
from loadtests.common.services import Reader, Services
from loadtests.common.sheets import Cell, Row, write_sheet
from loadtests.starter.floors import Figure, check, read_backend, read_floors, write_floors
from loadtests.starter.looks import Eye
from loadtests.starter.measures.adherence import Asked, adherence
from loadtests.starter.measures.verification import pair_shares, scores_of
from loadtests.starter.methods import METHODS
from loadtests.starter.nets import open_features, open_scene
from loadtests.starter.people import Character, Person, character_of, person_of
from loadtests.starter.portraits import Shot, Slot, portraits_of
from loadtests.starter.prompts import EDITS, FIXED
from loadtests.starter.scale import Scale
from shared.reports import REPORTS_FOLDER, write_report

NAME = "gate-starter"
COMMAND = "python -m loadtests.starter --gate"
SAMPLES = Path(__file__).resolve().parents[2] / "starter" / "samples"
PEOPLE = {"ada": ("female", "middle-aged"), "bruno": ("male", "elderly"), "chioma": ("female", "young")}
"""Folder of `SAMPLES` -> sex and age band. Strangers are the other two."""
PROMPTS = (FIXED, *(prompt for prompt in EDITS if prompt.name in ("blonde", "blue hair", "square glasses")))
METHOD = next(method for method in METHODS if method.key == "ip_adapter")
IMAGES, REFERENCES = 2, 4
_SIMILARITY_TOLERANCE, _DB_TOLERANCE = 0.03, 0.3
_FALLING_SHARE = 0.08
"""Of the pictures that a figure is of, how many may fall on the other side of a decision; at least one."""


def hold(scale: Scale, services: Services, *, is_writing: bool) -> int:
    """Measures, and holds the figures against the floors or writes them; returns the exit code."""
    backend = default_model(services).backend
    figures = measure(scale, services)
    if is_writing:
        print(f"wrote {write_floors(figures, COMMAND, backend)}: look at the difference before you commit it")
        return 0
    bars, problems = check(figures, read_floors())
    write_report("gate-starter", COMMAND, bars, {"figures": {one.name: one.value for one in figures}})
    for problem in problems:
        print(problem)
    if problems:
        print(
            f"The starter pack or what serves it got worse: look at {REPORTS_FOLDER / NAME}.png. Where that "
            f"is intended: {COMMAND} --write"
        )
    if problems and backend != read_backend():
        print(f"The floors were computed by {read_backend()!r}, and these figures by {backend!r}.")
    return 1 if problems else 0


def measure(scale: Scale, services: Services) -> list[Figure]:
    """Returns the gate's figures; leaves a contact sheet in out/reports."""
    own = scale.weights / "embedder"
    judge = open_judge(own if own.is_dir() else None)
    with TemporaryDirectory() as folder:
        # Nothing is kept: what the code under test draws now is what counts.
        eye = Eye(
            Reader(services),
            judge,
            open_scene(scale.weights),
            open_features(scale.weights),
            Path(folder) / "looks",
        )
        characters = [
            character_of(number, band, sorted((SAMPLES / name).glob("*.png")), eye, REFERENCES)
            for number, (name, band) in enumerate(PEOPLE.items())
        ]
        people = [person for one in characters if (person := person_of(one, services)) is not None]
        if len(people) < len(PEOPLE):
            raise ValueError(
                "face analysis refuses the photos of a sample person: make eval-identity tells more"
            )
        drawings = Drawings(services, Path(folder) / "pictures", default_model(services))
        shots = _draw(people, drawings, eye)
        _sheet(shots, characters)
    readable = {name for shot in shots for name in shot.look.words}
    figures = [*likeness(shots, characters), *obedience(shots, readable)]
    return [*figures, autoencoder(scale.weights / "vae", [file for one in characters for file in one.photos])]


def likeness(shots: Sequence[Shot], characters: Sequence[Character]) -> list[Figure]:
    """Returns how often a face is found, similarity, and the share of pairs that are told right."""
    scores = {}
    for one in characters:
        others = [o.template for o in characters if o.number != one.number and o.template is not None]
        looks = [shot.look.vector for shot in shots if shot.person == one.number]
        if one.template is None or not looks:
            raise ValueError("the judge sees no face in the photos of a sample person")
        scores[one.number] = scores_of(looks, one.template, others)
    seen = [shot for shot in shots if shot.look.faces > 0]
    own = [value for one in scores.values() for value in one.own if value > -1]
    pairs = [value for values in pair_shares(scores).values() for value in values]
    tolerance = tolerance_of(len(shots))
    return [
        Figure("face found", len(seen) / len(shots), tolerance),
        Figure("similarity", sum(own) / max(1, len(own)), _SIMILARITY_TOLERANCE),
        Figure("more like the own person than others", sum(pairs) / len(pairs), tolerance),
    ]


def obedience(shots: Sequence[Shot], readable: set[str]) -> list[Figure]:
    """Returns adherence to each list that prompts name and a net can read."""
    asked = (Asked(shot.person, shot.slot.prompt.expected, shot.look) for shot in shots)
    found = []
    for name, people in sorted(adherence(asked, readable).items()):
        values = [value for known in people.values() for value in known]
        found.append(Figure(f"adherence: {name}", sum(values) / len(values), tolerance_of(len(values))))
    return found


def tolerance_of(count: int) -> float:
    """Returns how far a share of *count* pictures may fall: by one picture, or `_FALLING_SHARE` of them."""
    return max(1, round(_FALLING_SHARE * count)) / count


def autoencoder(vae_folder: Path, photos: Sequence[Path]) -> Figure:
    """Returns the autoencoder's PSNR on the photos."""
    import torch

    from loadtests.starter.measures.reconstruction import psnr
    from shared.images import decode_image
    from starter.data.pixels import to_bytes, to_unit
    from starter.models.vae import FoldedAutoencoder

    pictures = [torch.from_numpy(decode_image(file.read_bytes(), name=file.name)) for file in photos]
    images = torch.stack(pictures).permute(0, 3, 1, 2)
    with torch.no_grad():
        vae = FoldedAutoencoder.load(vae_folder)
        output = to_bytes(vae.decode(vae.encode(to_unit(images))))
    squared = (output.double() - images.double()).square()
    return Figure("autoencoder, dB", psnr(float(squared.sum()), squared.numel()), _DB_TOLERANCE)


def _draw(people: Sequence[Person], drawings: Drawings, eye: Eye) -> list[Shot]:
    slots = [Slot(METHOD, prompt, index) for prompt in PROMPTS for index in range(IMAGES)]
    progress = Progress("portraits", len(people) * len(slots), every=6)
    shots = []
    for person in people:
        shots += portraits_of(person, slots, None, drawings, eye, lambda: progress.advance())
    return shots


def _sheet(shots: Sequence[Shot], characters: Sequence[Character]) -> None:
    rows = []
    for one in characters:
        cells = [Cell(one.photos[0], ("reference",))]
        cells += [Cell(s.file, (s.slot.prompt.name,)) for s in shots if s.person == one.number]
        rows.append(Row(one.who, tuple(cells)))
    write_sheet(REPORTS_FOLDER / f"{NAME}.png", rows, side_px=150)
