"""Kinds of values on the command line that several evaluations take."""

import argparse


def count(text: str) -> int:
    """Returns a whole number from 1 on. Raises: argparse.ArgumentTypeError, whose words argparse shows."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on, not {text!r}")
    return value
