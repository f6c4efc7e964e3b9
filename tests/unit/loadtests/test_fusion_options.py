import argparse
from pathlib import Path

import pytest

from loadtests.common.progress import Progress, duration_text
from loadtests.fusion.options import command_of, parser_of, scale_of, style_of
from loadtests.fusion.people import split
from loadtests.fusion.scale import FIRST_PERSON, Scale
from services.orchestrator.errors import UnknownStyle
from starter.data.manifest import HELD_OUT_FROM


def options(*words) -> argparse.Namespace:
    return parser_of("what it does").parse_args(words)


def test_people_are_held_out_from_training_and_from_calibration():
    assert min(Scale().numbers) >= FIRST_PERSON > HELD_OUT_FROM + 10_000


def test_a_quick_run_is_small_and_its_command_says_so():
    scale = scale_of(options("--quick"))

    assert (scale.people, scale.candidate_count) == (3, 8)
    assert "--quick" in command_of(options("--quick"))


def test_sizes_can_be_chosen_and_stand_in_the_command():
    chosen = options("--identities", "30", "--candidates", "5", "--work", "elsewhere")

    assert scale_of(chosen).people == 30
    assert scale_of(chosen).work == Path("elsewhere")
    assert command_of(chosen) == "python -m loadtests.fusion --identities 30 --candidates 5"


@pytest.mark.parametrize("words", [["--identities", "0"], ["--identities", "few"], ["--candidates", "-1"]])
def test_counts_that_are_none_are_refused(words, capsys):
    with pytest.raises(SystemExit):
        options(*words)

    assert "a whole number from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--identities", "1"], ["--candidates", "1"], ["--identities", "5000"]])
def test_sizes_that_measure_nothing_are_refused(words):
    with pytest.raises(ValueError, match=r"at (least|most)"):
        scale_of(options(*words))


def test_a_style_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(UnknownStyle) as caught:
        style_of("sepia-dreams")

    assert "studio" in caught.value.message


class Photo:
    def __init__(self, view: int) -> None:
        self.view = view


def test_references_are_accepted_photos_and_probes_all_others():
    photos = [Photo(view) for view in range(6)]

    person = split(7, photos, [True, False, True, True, True, True], Scale(reference_count=3, probe_count=2))

    assert [photo.view for photo in person.references] == [0, 2, 3]
    assert [photo.view for photo in person.probes] == [1, 4]


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (89, "89 s"), (600, "10 min"), (3900, "1 h 05 min")]
)
def test_durations_are_told_in_words(seconds, text):
    assert duration_text(seconds) == text


def test_progress_counts_what_was_done_before_but_not_its_time(capsys):
    progress = Progress("drawing", 10, done=8)
    progress.advance()
    progress.advance("the last")

    lines = capsys.readouterr().out.splitlines()
    assert "8 of 10 done before" in lines[0]
    assert "9 of 10" in lines[1]
    assert "(the last): 10 of 10" in lines[2]
    assert lines[2].endswith("0 s left")
