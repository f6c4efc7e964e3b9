"""An orchestrator over fakes for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.orchestra import Orchestra, orchestra


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Orchestra]:
    async with orchestra(tmp_path) as running:
        yield running
