"""People with homes of their own, in a room that moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.moving import Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(tmp_path, monkeypatch)
    yield made
    made.close()
