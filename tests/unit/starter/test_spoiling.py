"""What is done to pictures before a net sees them."""

import numpy as np
import pytest
import torch

from starter.data import photographic
from starter.data.degrade import DEGRADATIONS
from starter.data.melt import melt
from starter.data.quality import DEFECTS, quality_of
from starter.heads.parts import Part
from tests.unit.starter.toy_faces import draw_face

FACE, PARTS = draw_face()


def _change(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(float) - second).mean())


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
def test_a_degradation_grows_with_its_strength_and_begins_at_nothing(name: str) -> None:
    changes = [
        np.mean([_change(FACE, DEGRADATIONS[name](FACE, s, np.random.default_rng(k))) for k in range(3)])
        for s in (0.0, 0.3, 1.0)
    ]
    assert changes[0] < 1.5
    assert changes[0] < changes[1] < changes[2]
    assert changes[2] > 2


def test_a_melted_face_differs_more_the_stronger_it_is_and_not_at_all_at_zero() -> None:
    other = FACE[:, ::-1].copy()
    changes = [
        np.mean([_change(FACE, melt(FACE, other, s, np.random.default_rng(k))) for k in range(8)])
        for s in (0.0, 0.3, 0.9)
    ]
    assert changes[0] < 1
    assert changes[0] < changes[1] < changes[2]


def test_quality_is_one_without_defects_and_falls_with_each() -> None:
    none = torch.zeros(1, len(DEFECTS))
    assert float(quality_of(none)[0]) == 1
    for index in range(len(DEFECTS)):
        weak, strong = none.clone(), none.clone()
        weak[0, index], strong[0, index] = 0.3, 0.9
        assert 1 > float(quality_of(weak)[0]) > float(quality_of(strong)[0]) >= 0


def test_another_background_leaves_the_head_alone() -> None:
    changed = photographic.swap_background(FACE, PARTS, np.random.default_rng(1))
    inside = np.zeros_like(PARTS, bool)
    inside[90:180, 100:150] = True
    assert _change(FACE[inside], changed[inside]) < 1
    assert _change(FACE[PARTS == Part.BACKGROUND], changed[PARTS == Part.BACKGROUND]) > 10


def test_a_thing_before_the_head_is_where_its_mask_says() -> None:
    changed, cover = photographic.put_before(FACE, np.random.default_rng(3))
    far = np.ones_like(cover)
    far[np.argwhere(cover)[:, 0].min() - 4 : np.argwhere(cover)[:, 0].max() + 5] = False
    assert cover.any()
    assert (changed[far] == FACE[far]).all()
    assert _change(FACE[cover], changed[cover]) > 10


def test_the_look_of_a_camera_keeps_shape_and_depends_on_the_seed_alone() -> None:
    first, again, other = (photographic.look_of_camera(FACE, np.random.default_rng(k)) for k in (5, 5, 6))
    assert first.shape == FACE.shape
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert (first != other).any()
