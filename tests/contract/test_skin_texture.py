"""What every `SkinTexture` promises."""

import pytest

from services.fusion.adapters.fake import FakeTexture
from services.fusion.adapters.opencv_texture import OpenCvTexture
from services.fusion.domain.fusing import Template
from tests.support.posed_head import draw_head

FOREHEAD = [(-0.4, -0.75), (-0.2, -0.78), (0.0, -0.79), (0.2, -0.78), (0.4, -0.75)]


@pytest.fixture(params=[FakeTexture, OpenCvTexture])
def texture(request):
    return request.param()


@pytest.fixture
def candidate():
    return draw_head()


@pytest.fixture
def template():
    return Template("reference 1", *draw_head(yaw=6, line=FOREHEAD))


def test_strength_zero_gives_the_candidate_bit_for_bit(texture, candidate, template):
    made = texture.add(*candidate, [template], strength=0.0)

    assert (made.image == candidate[0]).all()
    assert made.added_contrast == 0


def test_more_strength_adds_more(texture, candidate, template):
    half, whole = (texture.add(*candidate, [template], strength=s).added_contrast for s in (0.5, 1.0))

    assert 0 < half < whole < 20


def test_size_stays_and_nothing_given_is_written_to(texture, candidate, template):
    before, source = candidate[0].copy(), template.image.copy()

    made = texture.add(*candidate, [template], strength=1.0)

    assert made.image.shape == before.shape and made.image is not candidate[0]
    assert (made.image != before).any()
    assert (candidate[0] == before).all() and (template.image == source).all()


def test_the_same_request_gives_the_same_pixels(texture, candidate, template):
    first, second = (texture.add(*candidate, [template], strength=1.0).image for _ in range(2))

    assert (first == second).all()
