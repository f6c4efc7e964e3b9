"""What a client orders: the content of a job before it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.lora_training.domain.recipe import Recipe

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class PhotoOrder:
    """A photo as it was sent.

    Attributes:
        data: the encoded file, None where it lies in the artifact store.
        artifact_uri: its address there, "" where it was sent inline.
        name: what messages call it.
        caption: its caption, "" uses the one of the order.
        landmarks5_px: five (x, y) in pixels of the upright photo, or None.
        embedding: identity embedding, or None.
    """

    data: bytes | None
    artifact_uri: str
    name: str
    caption: str
    landmarks5_px: Points | None
    embedding: tuple[float, ...] | None


@dataclass(frozen=True)
class TrainingOrder:
    """A request for an adapter.

    Attributes:
        subject: identity or style that the adapter is for.
        base_model: name of the model, "" = the default one.
        caption: for photos without one.
        photos: at least one.
        overrides: hyper-parameters that differ from the defaults, by field name of `Recipe`.
        request_id: idempotency key or "".
        body_sha256: digest of the request without its request_id.
    """

    subject: str
    base_model: str
    caption: str
    photos: tuple[PhotoOrder, ...]
    overrides: dict[str, Any]
    request_id: str
    body_sha256: str

    def recipe(self, defaults: Mapping[str, Any]) -> Recipe:
        """Return the complete recipe: the order over the installation's defaults over those of `Recipe`.

        alpha follows the rank unless it is ordered. Raises: HyperParameterOutOfRange.
        """
        values = {**defaults, **self.overrides}
        if "alpha" not in self.overrides and "rank" in values:
            values["alpha"] = float(values["rank"])
        return Recipe(**values)

    @property
    def is_identity(self) -> bool:
        """Whether the adapter is one of a person, whose photos must carry landmarks."""
        return self.subject.startswith("identities/")


@dataclass(frozen=True)
class StoredPhoto:
    """A photo of an accepted job: checked, in the job's folder.

    Attributes:
        file: name within the job's folder.
        caption: final caption.
        landmarks5_px: five (x, y) in pixels, or None.
        embedding: identity embedding, or None.
    """

    file: str
    caption: str
    landmarks5_px: Points | None
    embedding: tuple[float, ...] | None
