"""Guidance: which rows a step evaluates, and what they add up to; a skipped row is saved work."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.programs import DenoisingStep
from services.diffusion.domain.request import AdapterChoice, GenerationRequest, Guidance, IdentityChoice
from services.diffusion.domain.rows import RowBatch
from services.diffusion.engine.preparation import load_adapter, start_program
from services.diffusion.errors import ValueOutOfRange
from tests.support.programs import drive

_MODEL = FakeModels().load("")
_PERSON = IdentityChoice((np.ones(128, np.float32),))
_shares = st.integers(0, 10).map(lambda tenths: tenths / 10)


def _draw(**more: Any) -> tuple[np.ndarray, list[DenoisingStep]]:
    steps: list[DenoisingStep] = []
    request = GenerationRequest("a face", **({"step_count": 10, "seed": 3} | more))
    return drive(_MODEL, start_program(_MODEL, request, ()), steps).latents, steps


def _row_counts(**more: Any) -> list[int]:
    return [len(step.rows) for step in _draw(**more)[1]]


@pytest.mark.parametrize("identity", [None, _PERSON], ids=["nobody", "person"])
def test_an_empty_interval_is_a_guidance_of_one(identity: IdentityChoice | None) -> None:
    unguided, _ = _draw(guidance_scale=1.0, identity=identity)

    latents, steps = _draw(guidance_scale=7.0, guidance_interval=(0.4, 0.4), identity=identity)

    np.testing.assert_array_equal(latents, unguided)
    assert [len(step.rows) for step in steps] == [1] * 10


@settings(max_examples=40, deadline=None)
@given(ends=st.tuples(_shares, _shares).map(sorted), text=st.sampled_from([0.5, 1.0, 3.0, 7.5]))
def test_rows_are_evaluated_on_the_steps_of_the_interval_alone(ends: list[float], text: float) -> None:
    first, last = ends
    guided = [first * 10 <= index < last * 10 for index in range(10)]

    plain = _row_counts(guidance_scale=text, guidance_interval=(first, last))
    person = _row_counts(
        guidance_scale=text,
        identity_guidance_scale=4.0,
        identity=_PERSON,
        guidance_interval=(first, last),
    )

    assert plain == [2 if is_guided and text > 1 else 1 for is_guided in guided]
    # nothing, words, both; a text scale of 1 or below needs no `nothing`.
    assert person == [(3 if text > 1 else 2) if is_guided else 1 for is_guided in guided]


def test_an_interval_of_all_steps_is_the_default() -> None:
    np.testing.assert_array_equal(_draw(guidance_interval=(0.0, 1.0))[0], _draw()[0])


def test_both_scales_the_same_need_no_third_row_and_are_the_default() -> None:
    latents, steps = _draw(guidance_scale=3.0, identity_guidance_scale=3.0, identity=_PERSON)

    np.testing.assert_array_equal(latents, _draw(guidance_scale=3.0, identity=_PERSON)[0])
    assert {len(step.rows) for step in steps} == {2}


def test_without_identity_its_scale_changes_nothing() -> None:
    np.testing.assert_array_equal(_draw(identity_guidance_scale=9.0)[0], _draw()[0])


def test_an_identity_scale_of_zero_never_shows_the_person() -> None:
    _, steps = _draw(identity_guidance_scale=0.0, identity=_PERSON)

    tokens = [row.identity.tokens for step in steps for row in step.rows if row.identity]
    assert tokens
    assert not np.any(tokens), "the tokens of nobody"


@pytest.mark.parametrize(("text", "person"), [(3.0, 4.0), (3.0, 0.5), (1.0, 4.0), (7.5, 7.5)])
def test_the_combination_is_nothing_plus_words_plus_person(text: float, person: float) -> None:
    """One step, its three rows evaluated here, against the formula written out."""
    latents, _ = _draw(step_count=1, guidance_scale=text, identity_guidance_scale=person, identity=_PERSON)

    _, (step,) = _draw(step_count=1, guidance_scale=2.0, identity_guidance_scale=3.0, identity=_PERSON)
    nothing, words, both = _MODEL.unet.predict(RowBatch.of(step.rows))
    expected = nothing + text * (words - nothing) + person * (both - words)
    # The fake sampler's only step ends at its prediction.
    np.testing.assert_allclose(latents, expected, rtol=0, atol=1e-5)
    assert np.abs(both - words).max() > 0.01
    assert np.abs(words - nothing).max() > 0.01


def test_an_interval_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueOutOfRange, match=r"end_share, which is 0\.2"):
        Guidance(interval=(0.5, 0.2))


def _mixes(*weights: tuple[str, bool], **more: Any) -> tuple[list[list[str]], list[bool]]:
    """Names of the adapters of each row of the first step, and which rows have tokens of the person."""
    choices = tuple(AdapterChoice(name=name, of_person=of_person) for name, of_person in weights)
    request = GenerationRequest("a face", step_count=4, adapters=choices, **more)
    mix = tuple(load_adapter(_MODEL.adapters, choice, "t") for choice in choices)
    steps: list[DenoisingStep] = []
    drive(_MODEL, start_program(_MODEL, request, mix), steps)
    nobody = float(np.abs(_MODEL.identity.encode(np.zeros(128, np.float32), 1.0)[1].tokens).sum())
    rows = steps[0].rows
    return (
        [[use.adapter.name for use in row.adapters] for row in rows],
        [row.identity is not None and float(np.abs(row.identity.tokens).sum()) != nobody for row in rows],
    )


def test_an_adapter_of_the_person_belongs_to_the_rows_that_show_the_person() -> None:
    names, tokens = _mixes(
        ("lora-person", True), ("lora-look", False), identity=_PERSON, identity_guidance_scale=5.0
    )

    assert names == [["lora-look"], ["lora-look"], ["lora-person", "lora-look"]]
    assert tokens == [False, False, True]


def test_the_scale_of_the_identity_goes_for_an_adapter_of_the_person_without_tokens() -> None:
    names, _ = _mixes(("lora-person", True), identity_guidance_scale=5.0)

    assert names == [[], [], ["lora-person"]]


def test_an_adapter_that_is_not_of_the_person_is_in_every_row_and_needs_none_more() -> None:
    names, _ = _mixes(("lora-person", False), identity_guidance_scale=5.0)

    assert names == [["lora-person"]] * 2
