"""Which steps after generation a portrait goes through: the style proposes, the client may turn off."""

from services.orchestrator.domain.base import Record
from services.orchestrator.domain.edits import Step
from services.orchestrator.domain.styles import Style


class Finishing(Record):
    """The client's wishes. None is as the style says; True does not turn on what the style turns off."""

    fuse: bool | None = None
    restore_marks: bool | None = None
    restore_texture: bool | None = None
    enhance: bool | None = None


def resolve(style: Style, wishes: Finishing) -> Finishing:
    """Return the steps that are done, all set. Without fusion there are no marks and no texture either."""
    fusion = style.fusion
    fuse = fusion.strength > 0 and wishes.fuse is not False
    return Finishing(
        fuse=fuse,
        restore_marks=fuse and fusion.restore_marks and wishes.restore_marks is not False,
        restore_texture=fuse
        and fusion.restore_texture
        and fusion.texture_strength != 0
        and wishes.restore_texture is not False,
        enhance=fusion.enhance_strength > 0 and wishes.enhance is not False,
    )


def steps_of(finishing: Finishing, upscale: int) -> tuple[Step, ...]:
    """Return the steps of resolved wishes, in the order of work; ``upscale`` is the factor, 1 or 2."""
    wanted = {
        Step.FUSE: finishing.fuse,
        Step.RESTORE_TEXTURE: finishing.restore_texture,
        Step.RESTORE_MARKS: finishing.restore_marks,
        Step.ENHANCE: finishing.enhance,
        Step.UPSCALE: upscale > 1,
    }
    return tuple(step for step in Step if wanted[step])
