"""Face paint of a character: two textures over regions.PAINT_MAP that follow the face in every picture."""

from dataclasses import dataclass

import numpy as np

from starter.heads.arrays import Floats, Image
from starter.heads.identity import Identity
from starter.heads.painting.beard import beard_layer
from starter.heads.painting.brows import brow_layer
from starter.heads.painting.eyeshadow import eyeshadow_layer
from starter.heads.painting.marks import blush_layer, mark_layer
from starter.heads.painting.wrinkles import wrinkle_layers


@dataclass(frozen=True)
class FacePaint:
    """RGBA textures, uint8 (size, size, 4), row 0 is the top.

    color: brows, beard, marks, blush. relief: slope across and up (128 is flat), crease, eyeshadow.
    """

    color: Image
    relief: Image


def paint(identity: Identity) -> FacePaint:
    """Depends on the identity only: paint once, use for every view and look."""
    rng = np.random.default_rng(identity.seed)
    color = [
        brow_layer(identity.brows, rng),
        beard_layer(identity),
        mark_layer(identity.skin),
        blush_layer(),
    ]
    relief = [*wrinkle_layers(identity.skin.lines, identity.seed), eyeshadow_layer()]
    return FacePaint(_packed(color), _packed(relief))


def _packed(layers: list[Floats]) -> Image:
    texture = np.empty((*layers[0].shape, len(layers)), np.uint8)
    for channel, layer in enumerate(layers):
        texture[..., channel] = np.clip(layer, 0, 1) * 255
    return texture
