"""How much of a run is left when it starts from a picture."""

from services.diffusion.errors import ValueOutOfRange


def kept_step_count(step_count: int, strength: float) -> int:
    """Steps that a run of *strength* has: the last *strength* * *step_count*, rounded down as in diffusers.

    Raises: ValueOutOfRange if that is none.
    """
    kept = min(int(step_count * strength), step_count)
    if kept < 1:
        raise ValueOutOfRange(
            field="source.strength",
            value=f"{strength:g}",
            range=f"{1 / step_count:.3g}..1 with {step_count} steps",
        )
    return kept
