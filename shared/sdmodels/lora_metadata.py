"""The safetensors metadata that a LoRA file carries so that a reader can refuse a wrong base model."""

from collections.abc import Mapping
from dataclasses import dataclass

_BASE = "base_model_sha256"
_RANK = "rank"
_ALPHA = "alpha"


@dataclass(frozen=True)
class LoraMetadata:
    """Facts about a LoRA file; every field is None when the file does not say.

    The weight that is added is scale * (alpha / rank) * B @ A; alpha None means alpha = rank.
    """

    base_model_sha256: str | None = None
    rank: int | None = None
    alpha: float | None = None

    def to_safetensors(self) -> dict[str, str]:
        """Entries for `safetensors.save_file(..., metadata=...)`; unknown facts are left out."""
        entries = {_BASE: self.base_model_sha256, _RANK: self.rank, _ALPHA: self.alpha}
        return {key: str(value) for key, value in entries.items() if value is not None}

    @classmethod
    def from_safetensors(cls, metadata: Mapping[str, str] | None) -> "LoraMetadata":
        """Read the entries; ValueError if a number does not parse."""
        found = metadata or {}
        return cls(
            base_model_sha256=found.get(_BASE),
            rank=int(found[_RANK]) if _RANK in found else None,
            alpha=float(found[_ALPHA]) if _ALPHA in found else None,
        )
