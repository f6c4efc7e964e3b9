"""Which characters evaluations draw. No heavy import here: options are parsed before libraries are loaded."""

FIRST_PERSON = 200_000
"""Number of the first character. Training stops below 100,000, and what calibrates or picks thresholds takes
the numbers from there on: nobody has seen these."""

SEED = 7
"""Seed of the head factory, and of the pictures."""
