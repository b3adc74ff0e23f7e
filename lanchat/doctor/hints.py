"""Tells a person who looks at an empty list why it may be empty, and scans the network when they ask for it."""

import logging
import threading
from pathlib import Path
from typing import Literal

from lanchat.discovery.finder import Finder
from lanchat.discovery.scan import Scan
from lanchat.discovery.sighting import Listing, OnProblem, Report
from lanchat.network.addresses import OwnAddresses
from lanchat.threads import Closable

LOOK_FOR = 1.5  # s of searching; with the other checks about two in all

ScanState = Literal["possible", "running", "over"]
CLOSE_LIMIT = 0.1  # s; the thread is a daemon, and only reads

_log = logging.getLogger(__name__)


class HintingFinder(Closable):
    """A finder that also says why no room is seen. Its calls never wait. Owned by the thread that shows the list.

    The checks run once, when a hint is first asked for. The caller closes this object first, and then its finder.

    Args:
        on: our own addresses on the networks to check.
    """

    def __init__(self, finder: Finder, on: OwnAddresses, home: Path) -> None:
        self._finder = finder
        self._on = on
        self._home = home
        self._hint: tuple[str, ...] = ()
        self._thread: threading.Thread | None = None
        self._scan: Scan | None = None

    def listings(self) -> tuple[Listing, ...]:
        return self._finder.listings()

    def problems(self) -> tuple[str, ...]:
        return self._finder.problems()

    def hint(self) -> tuple[str, ...]:
        """The likely cause and what to try, as sentences; empty as long as the checks run."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run_checks, name="hint", daemon=True)
            self._thread.start()
        return self._hint

    @property
    def scan_state(self) -> ScanState:
        if self._scan is None:
            return "possible"
        return "over" if self._scan.wait_done(0) else "running"

    def scan(self) -> None:
        """Try every address of our networks, unless that was done before."""
        if self._scan is None:
            self._finder.begin(self._begin_scan)

    def close(self) -> None:
        """Wait a moment for running checks, but no longer than a person would."""
        if self._thread is not None:
            self._thread.join(CLOSE_LIMIT)

    def _begin_scan(self, report: Report, on_problem: OnProblem) -> Scan:
        self._scan = Scan(self._on, report, on_problem)
        return self._scan

    def _run_checks(self) -> None:
        from lanchat.doctor.checks import run_checks  # not at the top: a list that is just being drawn does without
        from lanchat.doctor.diagnosis import diagnose

        try:
            diagnosis = diagnose(run_checks(self._on, self._home, look_for=LOOK_FOR))
        except Exception:  # the list is useful without a hint
            _log.warning("the doctor failed", exc_info=True)
            return
        self._hint = diagnosis.cause, f"Try:  {diagnosis.command}"
