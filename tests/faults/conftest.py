"""The stage for a scenario."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import asdict

from lanchat.protocol.timing import Timing
from lanchat.storage.identity import Identity
from tests.faults.program import EAGER, HASTY, TIMING
from tests.faults.report import findings
from tests.faults.stage import Stage


@pytest.fixture
def make_stage(
    tmp_path: Path,
    identity: Callable[[str], Identity],
    leaves_nothing: None,
    own_world: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[str], Stage]]:
    """`make_stage("frozen")`: another stage, cleared after the test."""
    stages: list[Stage] = []

    def make(name: str) -> Stage:
        fixtures = request.fixturenames
        timing = HASTY if "hasty" in fixtures else EAGER if "eager" in fixtures else Timing()
        stages.append(Stage(name, tmp_path / name.replace(" ", "-"), identity, findings, timing))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(make_stage: Callable[[str], Stage], request: pytest.FixtureRequest) -> Stage:
    return make_stage(request.node.originalname.removeprefix("test_").replace("_", " "))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, own_world: Path) -> Timing:
    """Silence is noticed in 1.5 s instead of 25, here and in hosts."""
    monkeypatch.setenv(TIMING, json.dumps(asdict(HASTY)))
    return HASTY


@pytest.fixture
def eager() -> Timing:
    """Members try to reconnect 5 times as often: for many rounds in little time."""
    return EAGER
