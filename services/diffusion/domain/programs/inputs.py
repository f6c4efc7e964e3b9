"""What a technique needs and takes: it says so before the first step, and ignores nothing silently."""

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.programs.program import ProgramInput, Source
from services.diffusion.errors import FieldInvalid

Array = NDArray[np.float32]


def needed_source(given: ProgramInput, technique: str) -> Source:
    """The picture to start from. Raises: FieldInvalid."""
    if given.source is None:
        raise FieldInvalid(field="source", problem=f"the technique {technique} needs a picture to start from")
    return given.source


def needed_mask(given: ProgramInput, technique: str) -> Array:
    """The mask of what to exchange. Raises: FieldInvalid."""
    if given.source is None or given.source.mask is None:
        raise FieldInvalid(field="source.mask", problem=f"the technique {technique} needs a mask")
    return given.source.mask


def needed_person(given: ProgramInput, technique: str) -> None:
    """Check that there is a person: identity tokens, or an adapter of one. Raises: FieldInvalid."""
    if not given.shows_person:
        raise FieldInvalid(
            field="identity", problem=f"the technique {technique} needs a person, or an adapter of_person"
        )


def refuse_others(
    given: ProgramInput, technique: str, *, source: bool = False, mask: bool = False, injection: bool = False
) -> None:
    """Check that the request brings only what *technique* takes: True names what that is.

    Raises: FieldInvalid, naming the field.
    """
    unused = {
        "source": given.source is not None and not source,
        "source.mask": given.source is not None and given.source.mask is not None and not mask,
        "late_injection": given.injection is not None and not injection,
    }
    for field, is_unused in unused.items():
        if is_unused:
            raise FieldInvalid(field=field, problem=f"the technique {technique} has no use for it")
