"""Haircuts by name, in the words of captions; kept apart from their geometry so that sampling stays light."""

FEMALE_STYLES = ("bob", "long", "ponytail", "bun", "short", "afro", "side-part", "fringe")
MALE_STYLES = ("short", "side-part", "spiky", "buzzcut", "bald", "slicked", "afro", "curtain")
ALL_STYLES = tuple(dict.fromkeys(FEMALE_STYLES + MALE_STYLES))
