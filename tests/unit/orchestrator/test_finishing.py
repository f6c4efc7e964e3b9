"""Which steps are done: the style proposes, the client turns off."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.orchestrator as package
from services.orchestrator.adapters.style_files import StyleFolder
from services.orchestrator.domain.edits import Step
from services.orchestrator.domain.finishing import Finishing, resolve, steps_of
from services.orchestrator.domain.styles import Style

SOUND = StyleFolder(Path(package.__file__).parent / "styles").get("styles/studio").style.model_dump()
wishes = st.builds(Finishing, **{name: st.none() | st.booleans() for name in Finishing.model_fields})


def style(**fusion: object) -> Style:
    return Style.model_validate({**SOUND, "fusion": fusion})


def test_without_wishes_the_style_decides():
    assert steps_of(resolve(style(), Finishing()), 1) == (
        Step.FUSE,
        Step.RESTORE_TEXTURE,
        Step.RESTORE_MARKS,
        Step.ENHANCE,
    )
    assert steps_of(resolve(style(restore_texture=False), Finishing()), 2) == (
        Step.FUSE,
        Step.RESTORE_MARKS,
        Step.ENHANCE,
        Step.UPSCALE,
    )


@pytest.mark.parametrize(
    "wish, left",
    [
        ({"fuse": False}, {Step.ENHANCE}),
        ({"restore_marks": False}, {Step.FUSE, Step.RESTORE_TEXTURE, Step.ENHANCE}),
        ({"enhance": False}, {Step.FUSE, Step.RESTORE_TEXTURE, Step.RESTORE_MARKS}),
    ],
)
def test_a_client_turns_steps_off(wish, left):
    assert set(steps_of(resolve(style(), Finishing(**wish)), 1)) == left


@given(wishes)
def test_what_the_style_turns_off_stays_off(wished):
    off = style(strength=0, enhance_strength=0)
    assert steps_of(resolve(off, wished), 1) == ()
    assert not resolve(style(texture_strength=0), wished).restore_texture
    assert not resolve(style(restore_marks=False), wished).restore_marks


@given(wishes)
def test_resolving_twice_changes_nothing(wished):
    once = resolve(style(), wished)
    assert resolve(style(), once) == once
    assert once.fuse or not (once.restore_marks or once.restore_texture)
