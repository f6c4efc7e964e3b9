"""Part numbers of the ground truth map."""

from enum import IntEnum


class Part(IntEnum):
    """What a pixel shows; shaders/gbuffer.frag writes these numbers."""

    BACKGROUND = 0
    SKIN = 1
    LIPS = 2
    BROWS = 3
    EARS = 4
    NECK = 5
    SCLERA = 6
    IRIS = 7
    TEETH = 8
    INSIDE_MOUTH = 9
    LASHES = 10
    HAIR = 11
    BEARD = 12
    CLOTHES = 13
    GLASSES = 14
    METAL = 15
    HEADWEAR = 16
