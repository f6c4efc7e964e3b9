"""The experiments on adapters: what is compared with what, and what their figures say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.adapters import common_face, few_step
from loadtests.adapters.__main__ import COMMON_FACE, command_of, parser_of, scale_of, steps_of
from loadtests.adapters.drawn import Drawn, kept
from loadtests.adapters.ways import FULL, WAYS, Way, rivals
from loadtests.starter.looks import Look
from loadtests.starter.prompts import EDITS, FIXED
from services.diffusion.domain.programs.guidance import scales_at
from services.diffusion.domain.request import Guidance
from shared.images import encode_png
from tests.unit.loadtests.kept_figures import kept_by_all


def _rows_of_the_engine(way: Way) -> int:
    request = pb.GenerateRequest()
    way.fill(request)
    person = request.identity_guidance_scale if request.HasField("identity_guidance_scale") else None
    end = request.guidance_interval.end_share if request.HasField("guidance_interval") else 1.0
    guidance = Guidance(request.guidance_scale, person, (0.0, end))
    rows = 0
    for index in range(request.step_count):
        text, identity = scales_at(guidance, index, request.step_count)
        rows += sum(factor != 0 for factor in (1 - text, text - identity, identity))
    return rows


@given(
    steps=st.integers(1, 30),
    scales=st.sampled_from([None, (3.0, 4.0), (3.0, 3.0)]),
    share=st.sampled_from([0.25, 0.5, 1.0]),
)
def test_rows_are_those_that_the_engine_evaluates(
    steps: int, scales: tuple[float, float] | None, share: float
) -> None:
    way = Way("x", steps, scales, guided_share=1.0 if scales is None else share)
    assert way.rows == _rows_of_the_engine(way)


def test_an_adapter_is_held_against_plain_ways_of_no_more_rows() -> None:
    for way in WAYS:
        if way.adapter is not None:
            found = rivals(way)
            assert found and all(other.rows <= way.rows and other.adapter is None for other in found)
    assert FULL not in rivals(WAYS[-1])


def test_the_ways_have_keys_and_titles_of_their_own() -> None:
    assert len({way.key for way in WAYS}) == len({way.title for way in WAYS}) == len(WAYS)


def _drawn(person: int, cosine: float | None, prompt: object = FIXED, **words: str) -> Drawn:
    vector = None if cosine is None else (cosine, (1 - cosine**2) ** 0.5)
    look = Look(faces=int(vector is not None), embedding=vector, words=words, features=(), head=None)
    return Drawn(person, prompt, 0, None, look)  # type: ignore[arg-type]


def test_what_a_way_keeps_is_likeness_on_the_fixed_prompt_and_words_on_the_others() -> None:
    cap = next(prompt for prompt in EDITS if prompt.name == "cap")
    drawn = [
        _drawn(1, 0.8),
        _drawn(1, None),
        _drawn(1, 0.1, cap, hat="cap", expression="smile", background="forest"),
        _drawn(2, 0.6),
    ]
    found = kept(
        drawn, {1: np.array([1.0, 0.0]), 2: np.array([1.0, 0.0])}, {"hat", "expression", "background"}
    )
    assert found.likeness == {1: [pytest.approx(0.8), -1.0], 2: [pytest.approx(0.6)]}
    assert found.detected == {1: [1.0, 0.0, 1.0], 2: [1.0]}
    assert sorted(found.adherence[1]) == [0.0, 1.0, 1.0]


def test_differences_are_taken_person_by_person() -> None:
    gain = kept_by_all(0.5, 0.9).over(kept_by_all(0.4, 0.8))
    # People differ more than the ways do; a paired difference does not see that.
    assert gain["likeness"] is not None and gain["likeness"]["low"] == pytest.approx(0.1)
    assert gain["adherence"] is not None and gain["adherence"]["value"] == pytest.approx(10)


def test_the_few_step_adapter_must_beat_the_best_of_its_rivals() -> None:
    seconds = {way.key: 0.1 * way.rows for way in WAYS}
    good = {way.key: kept_by_all(0.5 if way.adapter else 0.4, 0.9) for way in WAYS}
    apart = {way.key: {p: [float(way.steps if way.adapter is None else 3)] for p in range(8)} for way in WAYS}
    bars = few_step.bars_of({"ways": few_step.figures_of(good, seconds, apart)})
    assert [bar.value for bar in bars if "nearer" in bar.name] == [-1.0, -1.0, -1.0]
    assert {bar.met for bar in bars if "likeness" in bar.name} == {True}
    good["four_pairs"] = kept_by_all(0.6, 0.9)
    details = {"ways": few_step.figures_of(good, seconds, apart)}
    assert details["ways"]["few_8"]["rival"] == "4 steps, guided by one scale"
    assert not next(bar for bar in few_step.bars_of(details) if bar.name.startswith("8 steps")).met
    assert len(few_step.tables_of(details)[0].rows) == len(WAYS)


def test_portraits_are_compared_with_those_of_the_same_person_and_seed(tmp_path: Path) -> None:
    grey = [np.full((8, 8, 3), value, np.uint8) for value in (100, 110)]
    files = [tmp_path / f"{number}.png" for number in range(2)]
    for file, picture in zip(files, grey, strict=True):
        file.write_bytes(encode_png(picture))
    one, other = (replace(_drawn(4, 0.5), file=file) for file in files)
    assert few_step.apart_from([one, one], [one, other]) == {4: [0.0, 10.0]}


def test_the_common_face_must_be_better_beyond_chance() -> None:
    found = {"zero-50": kept_by_all(0.4, 0.8), "common-face-50": kept_by_all(0.45, 0.8)}
    details = {"steps": [50], "starts": common_face.figures_of(found, [50])}
    assert [bar.met for bar in common_face.bars_of(details)] == [True]
    worse = {"zero-50": kept_by_all(0.4, 0.8), "common-face-50": kept_by_all(0.39, 0.8)}
    details = {"steps": [50], "starts": common_face.figures_of(worse, [50])}
    assert [bar.met for bar in common_face.bars_of(details)] == [False]
    assert len(common_face.tables_of(details)[0].rows) == 2


def test_a_training_of_one_photo_sees_one_photo_and_is_judged_by_others() -> None:
    scale = scale_of(parser_of().parse_args([COMMON_FACE, "--identities", "3"]))
    assert (scale.reference_count, scale.people) == (1, 3) and scale.view_count > 2
    with pytest.raises(ValueError, match="at least 2 people"):
        scale_of(parser_of().parse_args([COMMON_FACE, "--identities", "1"]))


def test_the_command_is_what_a_reader_types() -> None:
    options = parser_of().parse_args([COMMON_FACE, "--steps", "20", "--work", "elsewhere"])
    assert command_of(options) == (
        "python -m loadtests.adapters common-face --identities 12 --images 2 --steps 20"
    )
    assert steps_of("50,200") == [50, 200]
    with pytest.raises(ValueError, match="whole numbers"):
        steps_of("fast")
