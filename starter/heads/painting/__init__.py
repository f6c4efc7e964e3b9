"""Face paint of a character: brows, beard shadow, marks and blush as one texture over regions.PAINT_MAP."""

import numpy as np

from starter.heads.arrays import Image
from starter.heads.identity import Identity
from starter.heads.painting.beard import beard_layer
from starter.heads.painting.brows import brow_layer
from starter.heads.painting.marks import blush_layer, mark_layer


def paint(identity: Identity) -> Image:
    """RGBA texture, uint8 (size, size, 4): brows, beard, freckles and moles, blush; row 0 is the top.

    Depends on the identity only: paint once, use for every view.
    """
    rng = np.random.default_rng(identity.seed)
    layers = [
        brow_layer(identity.brows, rng),
        beard_layer(identity),
        mark_layer(identity.skin, rng),
        blush_layer(),
    ]
    return (np.clip(np.stack(layers, axis=-1), 0, 1) * 255).astype(np.uint8)
