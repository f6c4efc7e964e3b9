"""A row is one sample of a UNet batch, with everything that it depends on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.diffusion.domain.adapters import AdapterMix
from services.diffusion.errors import ValueOutOfRange
from shared.emphasis import RANGE, Span, WeightOutOfRange, parse, plain

Array = NDArray[np.float32]
ShapeKey = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Prompt:
    """A text to encode for a picture of `size_px` (width, height).

    `field` is the request's field that it comes from, "prompt" or "negative_prompt": errors name it, and SDXL
    treats an empty negative prompt on its own. `text` may weight its words (shared.emphasis).
    """

    field: str
    text: str
    size_px: tuple[int, int]

    @property
    def spans(self) -> tuple[Span, ...]:
        """The words with their weights, without the syntax. Raises: ValueOutOfRange."""
        try:
            return parse(self.text)
        except WeightOutOfRange as error:
            value = f"weighting a word by {error.weight:g}"
            raise ValueOutOfRange(field=self.field, value=value, range=RANGE) from error

    @property
    def words(self) -> str:
        """The text without the syntax of weights. Raises: ValueOutOfRange."""
        return plain(self.spans)


@dataclass(frozen=True, eq=False)
class TextCondition:
    """Encoded prompt. `pooled` and `size_ids` are what SDXL adds to the time embedding.

    Attributes:
        context: States of the text encoder, float32 [tokens, width].
        pooled: Pooled state of the second text encoder, float32 [width], or None.
        size_ids: Original size, crop and target size in pixels, float32 [6], or None.
    """

    context: Array
    pooled: Array | None = None
    size_ids: Array | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of its arrays."""
        return sum(part.nbytes for part in (self.context, self.pooled, self.size_ids) if part is not None)


@dataclass(frozen=True, eq=False)
class IdentityCondition:
    """Identity tokens, float32 [tokens, width], and the strength of their attention; 0 disables them."""

    tokens: Array
    scale: float


@dataclass(frozen=True, eq=False)
class ControlHint:
    """Picture that steers the layout through the model's ControlNet; 0 as `scale` disables it.

    Attributes:
        image: RGB float32 [3, H, W] in [0, 1], of the finished picture's size in pixels.
        scale: Factor on the ControlNet's residuals.
    """

    image: Array
    scale: float


@dataclass(frozen=True, eq=False)
class UNetRow:
    """One sample: `latent` float32 [C, h, w] as the UNet takes it (already scaled by the sampler).

    `shows_person` tells whether adapters of the person belong to it, those too that are still being loaded.
    Rows of any requests may share a call as long as their `shape_key` is the same.
    """

    latent: Array
    timestep: float
    text: TextCondition
    identity: IdentityCondition | None = None
    adapters: AdapterMix = ()
    control: ControlHint | None = None
    shows_person: bool = True

    @property
    def shape_key(self) -> ShapeKey:
        """Shapes that stacking needs to be equal. Identity tokens and adapters are padded instead."""
        # Hints need no part in the key: their size follows from that of the latents.
        pooled = () if self.text.pooled is None else self.text.pooled.shape
        return (self.latent.shape, self.text.context.shape, pooled)


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Rows of one UNet call, stacked; never empty.

    Raises: ValueError on an empty batch or on rows whose shape keys differ.
    """

    rows: tuple[UNetRow, ...]

    def __post_init__(self) -> None:
        if len({row.shape_key for row in self.rows}) != 1:
            raise ValueError("a batch needs rows of one shape")

    @classmethod
    def of(cls, rows: Sequence[UNetRow]) -> "RowBatch":
        """Batch *rows* in their order."""
        return cls(tuple(rows))

    @property
    def latents(self) -> Array:
        """Float32 [B, C, h, w]."""
        return np.stack([row.latent for row in self.rows])

    @property
    def timesteps(self) -> Array:
        """Float32 [B]."""
        return np.array([row.timestep for row in self.rows], dtype=np.float32)

    @property
    def contexts(self) -> Array:
        """Float32 [B, tokens, width]."""
        return np.stack([row.text.context for row in self.rows])

    @property
    def pooled(self) -> tuple[Array, Array] | None:
        """SDXL's pooled text [B, width] and size ids [B, 6]; None for models without them."""
        pairs = [
            (row.text.pooled, row.text.size_ids)
            for row in self.rows
            if row.text.pooled is not None and row.text.size_ids is not None
        ]
        if not pairs:
            return None
        return np.stack([pooled for pooled, _ in pairs]), np.stack([ids for _, ids in pairs])

    @property
    def identities(self) -> tuple[Array, Array] | None:
        """Tokens [B, n, width] and scales [B], zeros for rows without identity; None if no row has one."""
        given = [row.identity for row in self.rows if row.identity is not None and row.identity.scale != 0]
        if not given:
            return None
        if len({identity.tokens.shape for identity in given}) != 1:
            raise ValueError("identity tokens of one batch need one shape")
        nothing = np.zeros_like(given[0].tokens)
        identities = [row.identity or IdentityCondition(nothing, 0.0) for row in self.rows]
        tokens = np.stack([identity.tokens for identity in identities])
        return tokens, np.array([identity.scale for identity in identities], dtype=np.float32)
