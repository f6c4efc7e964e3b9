"""CI's quality gate: what fails it, and what does not."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from loadtests.starter import gate
from loadtests.starter.floors import FILE, Figure, check, read_backend, read_floors, write_floors
from loadtests.starter.looks import Look
from loadtests.starter.people import Character
from loadtests.starter.portraits import Shot, Slot
from starter.heads import palette, samples
from starter.heads.dataset import identity_of

FLOORS = {"similarity": {"value": 0.6, "tolerance": 0.05}, "face found": {"value": 1.0, "tolerance": 0.1}}


def test_what_is_within_its_tolerance_passes():
    bars, problems = check([Figure("similarity", 0.55, 9), Figure("face found", 1.0, 9)], FLOORS)

    assert problems == []
    assert all(bar.met for bar in bars)


def test_what_is_below_fails_in_words():
    bars, problems = check([Figure("similarity", 0.5, 0), Figure("face found", 0.95, 0)], FLOORS)

    assert [bar.met for bar in bars] == [False, True]
    assert problems == ["similarity is 0.500, below 0.550: it was 0.600, and 0.050 less is tolerated."]


def test_what_cannot_be_measured_any_more_fails():
    _, problems = check([Figure("similarity", 0.6, 0)], FLOORS)

    assert problems == ["face found could not be measured any more; it was 1.000."]


def test_a_new_figure_does_not_fail():
    figures = [Figure("similarity", 0.6, 0), Figure("face found", 1, 0), Figure("adherence: hat", 0, 0)]

    bars, problems = check(figures, FLOORS)

    assert problems == []
    assert [bar.name for bar in bars] == ["similarity", "face found"]


def test_nan_never_passes():
    _, problems = check([Figure("similarity", float("nan"), 0), Figure("face found", 1, 0)], FLOORS)

    assert len(problems) == 1


def test_floors_that_were_written_are_met_by_the_same_figures(tmp_path):
    figures = [Figure("similarity", 1 / 3, 0.0), Figure("autoencoder, dB", 27.123456789, 0.0)]

    file = write_floors(figures, "the command", "torch", tmp_path / "floors.json")

    assert check(figures, read_floors(file))[1] == []
    assert json.loads(file.read_text())["command"] == "the command --write"
    assert read_backend(file) == "torch"


def test_missing_floors_name_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="--gate --write"):
        read_floors(tmp_path / "floors.json")


def test_the_committed_floors_ask_for_something():
    floors = read_floors(FILE)

    assert {"face found", "similarity", "more like the own person than others", "autoencoder, dB"} <= set(
        floors
    )
    assert all(floor["value"] - floor["tolerance"] > 0 for floor in floors.values())


def test_the_people_of_the_gate_are_the_sample_people():
    for name, number in samples.PEOPLE.items():
        body = identity_of(samples.SAMPLES_SEED, number).body
        assert gate.PEOPLE[name] == (body.sex, palette.age_name(body.age))
    assert samples.SAMPLES_FOLDER == gate.SAMPLES
    assert all(len(list((gate.SAMPLES / name).glob("*.png"))) > gate.REFERENCES for name in gate.PEOPLE)


def test_one_picture_may_fall_and_of_many_a_few():
    assert [gate.tolerance_of(count) * count for count in (4, 12, 24, 100)] == pytest.approx([1, 1, 2, 8])


def shots():
    """Two people, two pictures each of a prompt on hair; the second person's last one shows no face."""
    prompt = gate.PROMPTS[1]
    found = []
    for person in range(2):
        for index in range(2):
            is_lost = person == 1 and index == 1
            vector = None if is_lost else tuple(np.eye(2)[person])
            words = {} if is_lost else {"hair_color": "blonde" if person == 0 else "red"}
            look = Look(0 if is_lost else 1, vector, words, (), None)
            found.append(Shot(person, Slot(gate.METHOD, prompt, index), Path("x.png"), look))
    return found


def test_the_gate_counts_faces_likeness_and_words():
    people = [Character(n, gate.PEOPLE["ada"], (), (), 1, np.eye(2)[n]) for n in range(2)]

    found = {one.name: one for one in gate.likeness(shots(), people)}
    words = {one.name: one for one in gate.obedience(shots(), {"hair_color"})}

    assert found["face found"].value == 0.75
    assert found["similarity"].value == 1
    # Person 1: own 1 and -1, strangers 0 and -1: won, won, lost, tie.
    assert found["more like the own person than others"].value == pytest.approx((1 + 2.5 / 4) / 2)
    assert found["face found"].tolerance == 0.25
    assert set(words) == {"adherence: hair_color"}
    assert words["adherence: hair_color"].value == 0.5


@pytest.mark.parametrize(("value", "code"), [(0.6, 0), (0.2, 1)])
def test_the_gate_ends_with_a_code_that_ci_understands(tmp_path, monkeypatch, capsys, value, code):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gate, "measure", lambda scale, services: [Figure("similarity", value, 0.05)])
    monkeypatch.setattr(gate, "read_backend", lambda: "openvino bfloat16")
    monkeypatch.setattr(gate, "default_model", lambda services: SimpleNamespace(backend="torch float32"))
    monkeypatch.setattr(gate, "read_floors", lambda: {"similarity": {"value": 0.6, "tolerance": 0.05}})

    assert gate.hold(None, None, is_writing=False) == code

    printed = capsys.readouterr().out
    assert ("similarity is 0.200, below 0.550" in printed) == (code == 1)
    assert ("--gate --write" in printed) == (code == 1)
    assert ("computed by 'openvino bfloat16', and these figures by 'torch float32'" in printed) == (code == 1)
    assert (tmp_path / "out" / "reports" / "gate-starter.json").is_file()
