"""Effects by name, and their strength."""

import numpy as np
import pytest

from services.stylization.adapters.fake import FakeTranslator
from services.stylization.engine.engine import StylizationEngine
from services.stylization.errors import UnknownStyle
from shared.cancellation import CancellationToken, Cancelled
from shared.workers import Workers

IMAGE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5


@pytest.fixture
def engine():
    engine = StylizationEngine(Workers(1))
    engine.install([FakeTranslator("toon"), FakeTranslator("ink")])
    yield engine
    engine.close()


async def test_empty_name_takes_the_first_effect_and_an_unknown_one_lists_what_there_is(engine):
    assert engine.resolve("") == "toon"
    assert [e.name for e in engine.effects()] == ["toon", "ink"]
    with pytest.raises(UnknownStyle, match="toon, ink"):
        await engine.stylize(IMAGE, effect="oil", token=CancellationToken())


async def test_strength_blends_from_the_input_to_the_drawing(engine):
    full = FakeTranslator().translate(IMAGE)
    out = [await engine.stylize(IMAGE, strength=s, token=CancellationToken()) for s in (0.0, 0.5, 1.0)]

    assert (out[0] == IMAGE).all() and (full == out[2]).all()
    np.testing.assert_allclose((IMAGE.astype(float) + full) / 2, out[1], atol=0.51)


async def test_cancelled_work_is_not_begun(engine):
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        await engine.stylize(IMAGE, token=token)


@pytest.mark.parametrize("names", [[], ["toon", "toon"]])
def test_no_effect_or_a_double_name_is_a_mistake_of_the_set_up(engine, names):
    with pytest.raises(ValueError, match="effects"):
        engine.install([FakeTranslator(n) for n in names])
