"""Identities, portraits, styles, prompts, seeds, and the ports to the rest of the world."""
