"""Seeds: everything random in a portrait follows from the seed of its request."""

import hashlib

# Seeds travel as signed 64-bit integers that must not be negative.
_SEED_BITS = 63


def derive_seed(seed: int, *labels: str | int) -> int:
    """Derive a seed for one purpose from the seed of the request.

    The result depends on the arguments alone (SHA-256, so not on the process, the machine or Python's hash
    seed): a resumed portrait draws the same noise as an undisturbed one.

    Args:
        seed: Seed of the request, at least 0.
        labels: What the derived seed is for, such as ``"candidate", 3``.

    Returns:
        An integer in [0, 2**63).
    """
    text = "\x1f".join([str(seed), *(f"{type(label).__name__}:{label}" for label in labels)])
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _SEED_BITS)


def candidate_seed(seed: int, index: int) -> int:
    """Seed of the candidate with this index, counted over all rounds of a portrait."""
    return derive_seed(seed, "candidate", index)
