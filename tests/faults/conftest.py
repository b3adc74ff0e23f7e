"""The stage for a scenario, and what all of them came to."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lanchat.net.identity import Identity
from tests.faults.program import EAGER, HASTY, WAITS
from tests.faults.stage import Findings, Stage

_findings = Findings()


@pytest.fixture
def make_stage(
    tmp_path: Path, identity: Callable[[str], Identity], leaves_nothing: None, own_world: Path
) -> Iterator[Callable[[str], Stage]]:
    """`make_stage("frozen")`: another stage, cleared after the test."""
    stages: list[Stage] = []

    def make(name: str) -> Stage:
        stages.append(Stage(name, tmp_path / name.replace(" ", "-"), identity, _findings))
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end of a run in one process: what all scenarios came to."""
    figures = _findings.figures
    if not figures:
        return
    write = terminalreporter.write_line
    terminalreporter.section("faults")
    for each in figures:
        write(
            f"{each.scenario}: {each.verdict}, noticed within {each.times.notice:.2f} s, back within "
            f"{each.times.back:.2f} s, host {each.peak / 2**20:.0f} MiB"
        )
    verdicts = [each.verdict for each in figures]
    write(f"rounds                    {sum(each.rounds for each in figures)}")
    write(f"messages acknowledged     {sum(verdict.acknowledged for verdict in verdicts)}")
    write(f"lost                      {sum(len(verdict.lost) for verdict in verdicts)}")
    write(f"duplicated                {sum(len(verdict.duplicated) for verdict in verdicts)}")
    write(f"reordered                 {sum(len(verdict.reordered) for verdict in verdicts)}")
    write(f"missing                   {sum(len(verdict.missing) for verdict in verdicts)}")
    write(f"worst time to notice      {max(each.times.notice for each in figures):.2f} s")
    write(f"worst time to be back     {max(each.times.back for each in figures):.2f} s")
    write(f"peak memory of the host   {max(each.peak for each in figures) / 2**20:.0f} MiB")
