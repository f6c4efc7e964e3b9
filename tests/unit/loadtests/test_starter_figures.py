"""From looks to figures, tables and the page."""

import base64
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from loadtests.common.sheets import Sheet
from loadtests.starter import changes, figures, report, sheets, tables
from loadtests.starter.looks import MASK_PX, Look
from loadtests.starter.measured import Measured
from loadtests.starter.measures.distances import FeatureSpace
from loadtests.starter.methods import LATE, METHODS, TEXT
from loadtests.starter.people import Character
from loadtests.starter.photographs import SHIPPED, Shown, photographs_of
from loadtests.starter.portraits import Shot, Slot
from loadtests.starter.prompts import EDITS, FIXED

GLASSES = next(prompt for prompt in EDITS if prompt.name == "round glasses")
DIRECTIONS = np.eye(4)


def look(person, seed=0, faces=1, half=0, **words) -> Look:
    """A face in the direction of its person; the head is the left or the right half."""
    mask = np.zeros((MASK_PX, MASK_PX), bool)
    mask[:, half * MASK_PX // 2 : (half + 1) * MASK_PX // 2] = True
    features = tuple(np.random.default_rng(seed).normal(size=8))
    if faces == 0:
        return Look(0, None, words, features, None)
    packed = base64.b64encode(np.packbits(mask).tobytes()).decode()
    return Look(faces, tuple(DIRECTIONS[person]), words, features, packed)


def sample(background="sky", **attributes):
    known = {"sex": "female", "age": "young", **attributes}
    clothes = {"color": "red", "cut": "suit"}
    return SimpleNamespace(
        attributes=known, expression="smile", background=background, clothes=clothes, yaw_deg=20
    )


@pytest.fixture
def measured(tmp_path):
    """Three people of one band; text to image draws person 0 for everybody, late injection the right one."""
    files = {}
    for name, colour in (("plain", 0), ("late", 51)):
        files[name] = tmp_path / f"{name}.png"
        Image.new("RGB", (128, 128), (colour,) * 3).save(files[name])
    everybody = []
    for n in range(3):
        looks = tuple(look(n, seed=10 * n + i, glasses="none", background="sky") for i in range(3))
        samples = (sample(glasses="none"), sample(glasses="round"), sample("red", glasses="none"))
        everybody.append(
            Character(n, ("female", "young"), (files["plain"],) * 3, looks, 2, DIRECTIONS[n], samples)
        )
    shots = []
    for n in range(3):
        for prompt in (FIXED, GLASSES):
            for index in range(2):
                slot = Slot(TEXT, prompt, index)
                shots.append(
                    Shot(n, slot, files["plain"], look(0, index, glasses="round", background="library"))
                )
                read = {"glasses": "square", "background": "library"}
                found = look(n, index + 5, faces=int(n > 0 or index > 0), **(read if n or index else {}))
                own = files["late"].with_name(f"late-{n}-{prompt.name}-{index}.png")
                own.write_bytes(files["late"].read_bytes())
                shots.append(Shot(n, replace(slot, method=LATE), own, found))
    return Measured(tuple(everybody), tuple(shots), frozenset({"glasses", "background"}))


@pytest.fixture
def space(measured):
    return FeatureSpace(measured.renders())


def test_the_right_person_is_told_from_strangers_and_anybody_is_not(measured, space):
    text, late = (figures.method_figures(measured, method, space) for method in (TEXT, LATE))

    assert text["likeness"]["pair_share"]["value"] == pytest.approx((1 + 0.25 + 0.25) / 3)
    # Person 0 lacks one face of two: half of its own pairs are lost.
    assert late["likeness"]["accuracy"]["value"] == pytest.approx((0.75 + 1 + 1) / 3)
    assert late["likeness"]["similarity"]["value"] == 1
    assert late["likeness"]["similarity_to_strangers"]["value"] == 0
    assert late["detected"]["value"] == pytest.approx(10 / 12)
    assert (late["people"], late["portraits"]) == (3, 12)


def test_adherence_is_held_against_text_to_image(measured, space):
    late = figures.method_figures(measured, LATE, space)

    assert late["adherence"]["glasses"]["value"] == 0
    assert late["adherence"]["worn: glasses"]["value"] == pytest.approx(5 / 6)
    assert late["adherence"]["background"]["value"] == pytest.approx(5 / 6)
    assert late["under_text"]["glasses"]["value"] == -100
    assert late["under_text"]["background"]["value"] == pytest.approx(-100 / 6)
    assert figures.method_figures(measured, TEXT, space)["under_text"] == {}


def test_disruption_compares_the_same_prompt_and_seed(measured, space):
    found = figures.method_figures(measured, LATE, space)["disruption"]

    # Everything differs by 51 of 255 levels.
    assert found["outside_percent"]["value"] == pytest.approx(20)
    assert -1 <= found["feature_similarity"]["value"] < 1
    assert figures.method_figures(measured, TEXT, space)["disruption"] is None


def test_photos_that_are_no_references_are_the_ceiling(measured):
    found = figures.ceiling(measured)

    assert found["accuracy"]["value"] == 1
    assert found["similarity"]["count"] == 3


def test_the_nets_own_accuracy_is_on_true_renders(measured):
    found = figures.reading_accuracy(measured)

    assert found["glasses"]["value"] == pytest.approx(2 / 3)
    assert found["background"]["value"] == pytest.approx(2 / 3)


@pytest.fixture
def details(measured, space):
    interval = {"value": 33.0, "low": 32.0, "high": 34.0, "people": 3, "count": 9}
    return {
        "judge": {"name": "the judge", "takes_part": False},
        "features": "scene",
        "components": 32,
        "characters": 3,
        "references": 2,
        "prompts": 2,
        "images": 2,
        "is_partial": False,
        "left_out": [],
        "failed": {},
        "unreadable": ["hat"],
        "methods": {m.key: figures.method_figures(measured, m, space) for m in (TEXT, LATE)},
        "ceiling": figures.ceiling(measured),
        "reading": figures.reading_accuracy(measured),
        "frechet_floor": changes.frechet_floor(measured, space),
        "pack": {
            "psnr_db": {"whole": interval, "eyes": {**interval, "value": 29.0}, "mouth": None},
            "landmarks_percent": {**interval, "value": 2.1},
            "parser_mean_iou": 0.72,
        },
        "photographs": [Shown(SHIPPED[0], problem="scikit-image is not installed").as_json()],
    }


def test_bars_are_held_against_the_goals(details):
    met = {bar.name: bar.met for bar in report.bars_of(details)}

    assert met["verification accuracy, late injection"] is True
    assert met["face found, late injection"] is False
    assert met["adherence: glasses, late injection"] is False
    assert met["adherence over text to image, points, late injection"] is False
    assert met["autoencoder, whole, dB"] is True
    assert met["autoencoder, eyes, dB"] is False
    assert met["landmark error, % of the eye distance"] is True
    assert met["parser, mean IoU (its card's)"] is False
    assert not any("mouth" in name or "hair color" in name for name in met)


def test_what_a_reader_must_know_is_in_the_notes(details):
    assert any("scikit-image is not installed" in note for note in report.notes_of(details))
    partial = {**details, "is_partial": True, "features": "attributes", "failed": {"the adapter": "no room"}}
    notes = " ".join(report.notes_of(partial))
    assert "Stopped before everybody was done" in notes
    assert "no scene net" in notes
    assert "the adapter was not measured: no room" in notes


def test_the_report_holds_json_markdown_and_the_page(details, tmp_path):
    first = [Sheet(tmp_path / "eval-starter" / "grid.png", "rows are methods")]
    worst = [Sheet(tmp_path / "eval-starter" / "worst.png", "the worst")]

    page = report.write("python -m loadtests.starter", details, first, worst, folder=tmp_path).read_text()

    assert page.index("grid.png") < page.index("<h2>Bars</h2>") < page.index("worst.png")
    assert "Not read, as no installed net knows the list: hat." in page
    stored = json.loads((tmp_path / "eval-starter.json").read_text())["details"]
    assert stored["methods"]["late"]["likeness"]["accuracy"]["low"] <= 1
    assert "| late injection (people: 3) | 1.000" in (tmp_path / "eval-starter.md").read_text()


def test_shares_are_shown_in_percent():
    assert tables.percent({"value": 0.851, "low": 0.8, "high": 0.902}) == "85.1 [80.0, 90.2]"
    assert tables.percent({"value": 0.5, "low": 0.5, "high": 0.5, "people": 1}) == "50.0 (one person)"
    assert tables.percent(None) == "–"


def test_sheets_show_methods_by_prompts_and_the_worst_first(measured, tmp_path):
    drawn = sheets.grids(measured, METHODS, (FIXED, GLASSES), tmp_path)
    drawn += sheets.likenesses(measured, (TEXT, LATE), tmp_path) + sheets.worst(
        measured, (TEXT, LATE), tmp_path
    )

    names = {sheet.file.name for sheet in drawn}
    assert {
        "grid-0-1.png",
        "likeness-1.png",
        "worst-adherence.png",
        "no-face.png",
        "worst-likeness.png",
    } <= names
    assert all(sheet.file.is_file() for sheet in drawn)


def test_photographs_are_the_shipped_ones_and_ones_own(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "me.png")
    (tmp_path / "notes.txt").write_text("no picture")

    found = list(photographs_of(tmp_path))

    assert [one.name for one in found] == ["Eileen Collins", "Grace Hopper", "me"]
    assert found[2].load().shape == (8, 8, 3)
    assert all("public domain" in one.credit for one in SHIPPED)


@pytest.mark.parametrize("photograph", SHIPPED, ids=lambda one: one.name)
def test_a_shipped_photograph_is_a_picture(photograph):
    pytest.importorskip("skimage" if photograph.package == "scikit-image" else photograph.package)

    rgb = photograph.load()

    assert rgb.dtype == np.uint8
    assert rgb.shape[2] == 3
    assert min(rgb.shape[:2]) >= 400
