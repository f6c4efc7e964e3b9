from dataclasses import replace

import numpy as np
import pytest

from starter.heads import palette
from starter.heads.expressions import EXPRESSIONS, action_weights
from starter.heads.hair import ALL_STYLES
from starter.heads.identity import Identity
from starter.heads.sampling import SLIDER_LIMIT, sample_identity
from starter.heads.shape import shape_head, target_weights
from starter.heads.sliders import all_sliders, asymmetries, face_sliders, group_sliders


@pytest.fixture(scope="module")
def crowd() -> list[Identity]:
    return [sample_identity(np.random.default_rng([5, k])) for k in range(150)]


def test_equal_seeds_give_equal_people() -> None:
    first, second = (sample_identity(np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert first != sample_identity(np.random.default_rng(4))


def test_everybody_is_adult_and_within_limits(crowd: list[Identity]) -> None:
    for person in crowd:
        assert 0.6 <= person.body.age <= 1
        assert all(abs(value) <= SLIDER_LIMIT for value in person.sliders.values())
        assert 0 <= person.skin.melanin <= 1
        assert person.hair.style in ALL_STYLES
        assert person.eye_color in palette.EYES
        assert person.beard == "none" or person.body.sex == "male"


def test_the_crowd_is_mixed(crowd: list[Identity]) -> None:
    assert {person.body.sex for person in crowd} == {"female", "male"}
    assert {palette.skin_name(person.skin.melanin) for person in crowd} == {"light", "tan", "brown", "dark"}
    assert {palette.age_name(person.body.age) for person in crowd} == {"young", "middle-aged", "elderly"}
    assert {person.hair.style for person in crowd} == set(ALL_STYLES)
    assert len({person.hair.color for person in crowd}) >= 6


def test_sliders_pair_opposites_and_tie_left_and_right() -> None:
    names = ["nose-width-decr", "nose-width-incr", "l-ear-trans-in", "l-ear-trans-out", "r-ear-trans-in"]
    sliders = group_sliders([*names, "r-ear-trans-out", "head-oval", "asym-jaw-1"])
    assert sliders["nose-width:decr/incr"].negative == ("nose-width-decr",)
    assert sliders["ear-trans:in/out"].positive == ("l-ear-trans-out", "r-ear-trans-out")
    assert sliders["head-oval"].negative == ()
    assert not any(name.startswith("asym") for name in sliders)


def test_the_asset_has_the_documented_sliders() -> None:
    assert len(face_sliders()) == 98
    assert len(asymmetries()) == 58
    assert set(face_sliders()) <= set(all_sliders())


def test_a_slider_moves_the_face_both_ways(identity: Identity) -> None:
    name = "nose-scale-horiz:decr/incr"
    plain = replace(identity, sliders={})
    middle, wide, narrow = (
        shape_head(replace(plain, sliders={name: value} if value else {}), {}) for value in (0.0, 0.8, -0.8)
    )
    moved = np.linalg.norm(wide - middle, axis=1) > 1e-4
    assert 50 < moved.sum() < len(middle) / 2
    assert ((wide - middle) * (narrow - middle)).sum() < 0


def test_macro_weights_of_ancestry_and_build_each_sum_to_one(identity: Identity) -> None:
    weights = dict(target_weights(replace(identity, sliders={}, asymmetry={}), {}))
    origin = sum(w for name, w in weights.items() if name.startswith("macro/") and "universal" not in name)
    build = sum(w for name, w in weights.items() if name.startswith("macro/universal"))
    assert origin == pytest.approx(1)
    assert build == pytest.approx(1)


def test_every_expression_changes_the_face(identity: Identity) -> None:
    resting = shape_head(identity, action_weights("neutral"))
    for expression in EXPRESSIONS[1:]:
        assert np.abs(shape_head(identity, action_weights(expression)) - resting).max() > 0.01
    half = shape_head(identity, action_weights("smile", 0.5)) - resting
    full = shape_head(identity, action_weights("smile")) - resting
    assert half == pytest.approx(full / 2, abs=1e-4)
