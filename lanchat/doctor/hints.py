"""The doctor's sentence for whoever looks at an empty list, and a scan when they ask for one."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Listing
from lanchat.discovery.sources import scanning
from lanchat.doctor.checks import examine
from lanchat.doctor.diagnosis import diagnose
from lanchat.protocol.address import Address
from lanchat.threads import Closable

EXAMINE_FOR = 1.5  # s of looking; with what comes before and after about two in all

CLOSE_LIMIT = 0.1  # s; the thread is a daemon, and only reads

_log = logging.getLogger(__name__)


class Advised(Closable):
    """A lookout as the picker's source, that can also say why nothing is seen. Its calls never wait.

    The examination is made once, when it is first asked for. Whoever made the lookout closes it, after this.
    """

    def __init__(self, finder: Finder, on: Sequence[Address] | None, home: Path) -> None:
        self._finder = finder
        self._on = on
        self._home = home
        self._advice: tuple[str, ...] = ()
        self._thread: threading.Thread | None = None
        self._scanned = False

    def listings(self) -> tuple[Listing, ...]:
        return self._finder.listings()

    def problems(self) -> tuple[str, ...]:
        return self._finder.problems()

    def advice(self) -> tuple[str, ...]:
        """The likely cause and what to try; nothing as long as it is being found out."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._examine, name="advice", daemon=True)
            self._thread.start()
        return self._advice

    def scan(self) -> bool:
        """Knock at every address of our network, once.

        Returns:
            Whether this begins one.
        """
        if self._scanned:
            return False
        self._scanned = True
        self._finder.begin(scanning(self._on))
        return True

    def close(self) -> None:
        """Wait for an examination under way no longer than a person would."""
        if self._thread is not None:
            self._thread.join(CLOSE_LIMIT)

    def _examine(self) -> None:
        try:
            diagnosis = diagnose(examine(self._on, self._home, look_for=EXAMINE_FOR))
        except Exception:  # advice is a courtesy: the list goes on without
            _log.warning("the doctor failed", exc_info=True)
            return
        self._advice = diagnosis.cause, f"Try:  {diagnosis.command}"
