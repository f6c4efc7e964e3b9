"""Options of the command: how much is measured, of which pack, and how a reader repeats it."""

import json

import pytest

from loadtests.starter import options
from loadtests.starter.methods import LATE, TEXT
from loadtests.starter.scale import WEIGHTS, Scale


def parsed(*words):
    return options.parser_of("what it does").parse_args(words)


def test_options_say_how_much():
    scale = options.scale_of(
        parsed("--quick", "--identities", "5", "--prompts", "cap,sad", "--methods", "late")
    )

    assert (scale.people, scale.trained, scale.image_count) == (5, 0, 2)
    assert [prompt.name for prompt in scale.edits] == ["cap", "sad"]
    assert scale.methods == (TEXT, LATE)
    assert options.scale_of(parsed()) == Scale()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--identities", "1"], "from 2"),
        (["--trained", "-1"], "0 or more"),
        (["--weights", "/nowhere"], "holds no pack"),
    ],
)
def test_what_makes_no_sense_is_refused(words, why):
    with pytest.raises(ValueError, match=why):
        options.scale_of(parsed(*words))


def test_the_command_is_what_a_reader_types():
    assert options.command_of(parsed()) == "python -m loadtests.starter"
    words = [
        "--identities",
        "3",
        "--prompts",
        "red hair,sad",
        "--data",
        "/somewhere/private",
        "--work",
        "/elsewhere",
    ]
    assert (
        options.command_of(parsed(*words))
        == "python -m loadtests.starter --identities 3 --prompts 'red hair,sad' --data FOLDER"
    )


def test_another_pack_is_served_with_the_nets_it_has(tmp_path):
    (tmp_path / "attributes").mkdir()

    told = options.environment_of(tmp_path)

    assert json.loads(told["LIKENESS_DIFFUSION_MODELS"]) == {"starter": str(tmp_path)}
    assert told["LIKENESS_FACE_ANALYSIS_ATTRIBUTES_FOLDER"] == str(tmp_path / "attributes")
    assert "LIKENESS_FACE_ANALYSIS_MARKS_FOLDER" not in told
    assert options.environment_of(WEIGHTS) == {}
