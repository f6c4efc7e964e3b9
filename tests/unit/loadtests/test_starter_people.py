"""Who counts as a stranger to whom, and what a person is compared by."""

import numpy as np
import pytest

from loadtests.starter.looks import Look
from loadtests.starter.people import Character, strangers_of, template_of


def character(number, band=("female", "young"), template=(1.0, 0.0)):
    known = None if template is None else np.array(template)
    return Character(number, band, (), (), 1, known)


def test_strangers_are_of_the_same_sex_and_age_band():
    everybody = [
        character(1),
        character(2, template=(0.0, 1.0)),
        character(3, ("male", "young")),
        character(4, template=None),
    ]

    assert [list(one) for one in strangers_of(everybody[0], everybody)] == [[0, 1]]


def test_a_template_is_the_unit_mean_of_the_photos_with_a_face():
    looks = [
        Look(1, (1.0, 0.0), {}, (), None),
        Look(0, None, {}, (), None),
        Look(1, (0.0, 1.0), {}, (), None),
    ]

    assert template_of(looks) == pytest.approx([2**-0.5, 2**-0.5])
    assert template_of(looks[1:2]) is None
