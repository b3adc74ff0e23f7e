"""What all scenarios of a run came to, printed at its end. A plugin of pytest: several processes may share the run."""

from collections.abc import Generator
from dataclasses import dataclass, field

import msgspec
import pytest

from tests.faults.chronicle import Times, Verdict


@dataclass(frozen=True)
class Figures:
    """What a scenario came to. s, bytes."""

    scenario: str
    rounds: int
    verdict: Verdict
    times: Times
    peak: int


@dataclass
class Findings:
    """Of one test."""

    figures: list[Figures] = field(default_factory=list)


findings = Findings()
_reported: list[Figures] = []
_FIGURES = "figures of scenarios"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a test takes them to the process that prints."""
    report = yield
    if findings.figures:
        report.user_properties.append((_FIGURES, msgspec.to_builtins(findings.figures)))
        findings.figures.clear()
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, value in report.user_properties:
        if name == _FIGURES:
            _reported.extend(msgspec.convert(value, list[Figures]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end of a run."""
    figures = sorted(_reported, key=lambda each: each.scenario)
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
