"""The stage for a scenario."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lanchat.storage.identity import Identity
from tests.faults.program import EAGER, HASTY, WAITS
from tests.faults.report import findings
from tests.faults.stage import Stage


@pytest.fixture
def make_stage(
    tmp_path: Path, identity: Callable[[str], Identity], leaves_nothing: None, own_world: Path
) -> Iterator[Callable[[str], Stage]]:
    """`make_stage("frozen")`: another stage, cleared after the test."""
    stages: list[Stage] = []

    def make(name: str) -> Stage:
        stages.append(Stage(name, tmp_path / name.replace(" ", "-"), identity, findings))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(make_stage: Callable[[str], Stage], request: pytest.FixtureRequest) -> Stage:
    return make_stage(request.node.originalname.removeprefix("test_").replace("_", " "))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, own_world: Path) -> None:
    """Silence is noticed in 1.5 s instead of 25, here and in hosts."""
    for name, value in HASTY.items():
        monkeypatch.setattr(name, value)
    monkeypatch.setenv(WAITS, json.dumps(HASTY))


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members try to come back 5 times as often: for many rounds in little time."""
    for name, value in EAGER.items():
        monkeypatch.setattr(name, value)
