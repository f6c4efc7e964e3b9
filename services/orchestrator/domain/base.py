"""Common base of the records that the orchestrator keeps."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable record that is kept as JSON; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; ``type(self).model_validate`` restores the record."""
        return self.model_dump(mode="json")


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)
