"""What all scenarios of a run came to, printed at its end. A plugin of pytest: several processes may share the run."""

from dataclasses import dataclass
from itertools import chain

import msgspec
import pytest

from tests.faults.chronicle import Times, Verdict

_NAME = "faults"  # of the property of a test


@dataclass(frozen=True)
class Figures:
    """What a scenario came to. s, bytes."""

    scenario: str
    rounds: int
    verdict: Verdict
    times: Times
    peak: int


def note(item: pytest.Item, figures: list[Figures]) -> None:
    """Give them to the report of the test's end, which comes to the process that prints."""
    item.user_properties.append((_NAME, msgspec.to_builtins(figures)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end of a run."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    noted = [report.user_properties for report in reports if getattr(report, "when", "") == "teardown"]
    figures = [each for name, value in chain(*noted) if name == _NAME for each in msgspec.convert(value, list[Figures])]
    if not figures:
        return
    figures.sort(key=lambda each: each.scenario)
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
