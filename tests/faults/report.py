"""What all scenarios of a run came to, printed at its end. A plugin of pytest: several processes may share the run."""

from dataclasses import dataclass, field
from typing import Any

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
    """Of the whole run."""

    figures: list[Figures] = field(default_factory=list)


findings = Findings()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In one of several processes: hand them to the one that prints."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = msgspec.to_builtins(findings.figures)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    findings.figures += msgspec.convert(output.get("faults", []), list[Figures])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At the end of a run."""
    figures = sorted(findings.figures, key=lambda each: each.scenario)
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
