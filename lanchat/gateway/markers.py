"""The read markers of the gateway: up to which time its person has read each room and each private conversation.

They are stored in LANCHAT_HOME. The IRC door keeps its markers in memory, because its clients have no identity.
"""

import json
import logging
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.gateway.channel import Channel
from lanchat.gateway.client import SERVER, Client
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.irc.line import Line, lowered
from lanchat.protocol.irc.markers import marked, marker
from lanchat.storage.files import file_errors, write_file

MAX_MARKERS = 1000  # rooms and people; those that were read longest ago are forgotten
FILE = "irc-read.json"

_log = logging.getLogger(__name__)


class ReadMarkers:
    """Up to when this person has read each room and each person. Owned by the gateway's main thread.

    Args:
        path: the file that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, int] = {}
        try:
            found = json.loads(path.read_bytes())
            self._known = {str(key): at for key, at in found.items() if type(at) is int and 0 <= at <= MAX_NUMBER}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            _log.warning("cannot read %s: %s", path, error)

    def answer(self, client: Client, line: Line, entered: dict[str, Channel]) -> None:
        """MARKREAD asks or says up to when something was read. It only moves forward."""
        target, time = line.parameter(0), line.parameter(1)
        channel = entered.get(lowered(target))
        key = channel.names.room if channel is not None else f"@{target.lower()[:64]}"
        if not target:
            client.fail("MARKREAD", "NEED_MORE_PARAMS", "Missing parameters")
            return
        if target.startswith("#") and channel is None:
            client.fail("MARKREAD", "INVALID_PARAMS", "There is no such channel that you are in", target)
            return
        if time:
            if (at := marked(time)) is None:
                client.fail("MARKREAD", "INVALID_PARAMS", "That is no time", target)
                return
            self._keep(key, at)
        client.link.send(self.marker(key, target))

    def marker(self, key: str, target: str) -> bytes:
        """MARKREAD: up to which time this was read."""
        return marker(SERVER, target, self._known.get(key))

    def _keep(self, key: str, at: int) -> None:
        if at <= self._known.get(key, -1):
            return
        self._known.pop(key, None)
        self._known[key] = at
        while len(self._known) > MAX_MARKERS:
            del self._known[next(iter(self._known))]
        try:
            with file_errors(self._path):
                write_file(self._path, json.dumps(self._known).encode(), durable=False)
        except LanchatError as error:  # it holds for this run all the same
            _log.warning("cannot keep read markers: %s", error)
