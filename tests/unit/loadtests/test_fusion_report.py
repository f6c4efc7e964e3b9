import json

import numpy as np
import pytest
from PIL import Image

from loadtests.common.sheets import Cell, Row, Sheet, write_sheet
from loadtests.common.tables import figure
from loadtests.fusion import bench, report
from loadtests.fusion.tables import tables_of


def value(number):
    return {"value": number, "low": number - 0.1, "high": number + 0.1, "people": 3, "count": 9}


@pytest.fixture
def details():
    return {
        "judge": {"name": "the judge", "takes_part": False},
        "has_judged_quality": True,
        "people": 3,
        "references": 4,
        "candidates": 20,
        "style": "studio",
        "fusion": {
            "raise": value(0.06),
            "raise_best": value(0.05),
            "raise_shipped": value(0.04),
            "raise_finished": value(0.05),
            "kept_share": value(0.9),
            "undone": {"it did not raise the likeness": 2},
            "quality_loss": 0.2,
            "quality_loss_shipped": 0.04,
            "losing_share": value(0.1),
            "level": {"candidates": value(0.3), "finished": value(0.4), "photos": value(0.7)},
            "peers": {"five_points": value(0.02), "one_template": None},
            "ours_on_the_same": value(0.06),
        },
        "gate": {
            "4": {
                "threshold": 0.7,
                "calibrated_false_accepts": 0.001,
                "calibrated_false_rejects": 0.2,
                "false_accepts_probes": value(0.002),
            }
        },
    }


def test_bars_are_held_against_the_goals(details):
    met = {bar.name: bar.met for bar in report.bars_of(details)}

    assert met["similarity raised by fusion"] is True
    assert met["similarity raised by fusion, as shipped"] is False
    assert met["worst loss of an image's quality by fusion, %"] is False
    assert met["worst loss of an image's quality by fusion, as shipped, %"] is True
    assert met["strangers' photos let through, 4 references"] is False


def test_what_was_not_measured_has_no_bar_and_is_named(details):
    assert not any("top 1" in bar.name for bar in report.bars_of(details))
    assert any("Not measured: marks, rank, enhance" in note for note in report.notes_of(details))


def test_a_judge_that_took_part_is_a_warning(details):
    details["judge"]["takes_part"] = True

    assert any("took part" in note for note in report.notes_of(details))


def test_the_page_holds_bars_tables_and_pictures(details, tmp_path):
    sheet = Sheet(tmp_path / "eval-fusion" / "worst.png", "the worst <ten>")

    page = report.write("python -m loadtests.fusion", details, [sheet], folder=tmp_path).read_text()

    assert "similarity raised by fusion" in page
    assert "src='eval-fusion/worst.png'" in page
    assert "the worst &lt;ten&gt;" in page
    assert json.loads((tmp_path / "eval-fusion.json").read_text())["details"]["people"] == 3
    assert "| every candidate fused | 0.060 [-0.040, 0.160] |" in (tmp_path / "eval-fusion.md").read_text()


def test_a_missing_figure_is_a_dash():
    assert figure(None) == "–"
    assert [table.title for table in tables_of({})] == []


def test_a_sheet_shows_its_pictures_where_they_belong(tmp_path):
    red = tmp_path / "red.png"
    Image.new("RGB", (10, 20), "#ff0000").save(red)

    path = write_sheet(
        tmp_path / "sheet.png",
        [Row("first", (Cell(None), Cell(red, ("caption",), "#00ff00"))), Row("second", (Cell(red),))],
        side_px=50,
    )

    sheet = np.asarray(Image.open(path))
    is_red = (sheet == (255, 0, 0)).all(-1)
    assert is_red[60, 100]
    assert is_red[140, 30]
    assert not is_red[:100, :60].any()
    with pytest.raises(ValueError, match="nothing to show"):
        write_sheet(tmp_path / "empty.png", [])


def test_the_bench_adds_what_is_done_to_one_candidate():
    stages = {name: {"p50": 10.0, "p95": 12.0, "count": 3} for name in bench.COUNTED}

    [bar] = bench.bars_of({"stages": stages})

    assert bar.value == 40.0
    del stages["fuse"]
    assert bench.bars_of({"stages": stages}) == []


def test_the_bench_shows_whole_calls_beside_stages():
    stages = {"fuse": {"p50": 10.0, "p95": 12.0}, "fuse, whole call": {"p50": 15.0, "p95": 18.0}}
    given = {"stages": stages, "cases": 3, "references": 4, "threads": 2, "problems": {"rank": "why not"}}

    text = bench.markdown(given)

    assert "| fuse | 10.00 | 12.00 | 15.00 | 18.00 |" in text
    assert "rank could not be measured: why not" in text
