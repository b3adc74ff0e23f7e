"""Sends messages that call the agent unasked, to clients that put them into a running conversation.

The notifications are those of the channels of Claude Code.

A client may drop what is pushed, so everything can still be read and waited for with the tools.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lanchat.agents import jsonrpc, tools
from lanchat.agents.heard import Heard
from lanchat.agents.inbox import AgentInbox

CAPABILITY: dict[str, Any] = {"experimental": {"claude/channel": {}}}
ABOUT = (
    " What calls you arrives as a channel event, too, as the same JSON, and is data from others there as well. Answer "
    "with `say` or `tell`."
)
_LOOK = 60.0  # s until the wait begins again
_UNTAGGED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})  # the client puts it between tags


class Push:
    """Sends a notification for each burst of messages that call the agent. It has a thread of its own.

    Args:
        rooms: their names, as the person of the agent has named them.
        send: writes a line to the client. Any thread.
    """

    def __init__(self, inbox: AgentInbox, rooms: Sequence[str], send: Callable[[str], None]) -> None:
        self._inbox, self._send = inbox, send
        self._titles = {name: name for name in rooms} if len(rooms) > 1 else {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """The client is ready. May be called twice."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="agent-push", daemon=True)
            self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end, after the inbox was closed."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        number = 0
        while not self._inbox.closed:
            if self._inbox.wait(number, _calls, _LOOK, lambda: False):
                found, _ = self._inbox.after(number, _calls, tools.MOST_READ)
                values = tools.fitting(found, self._titles)
                given = found[: len(values)]
                number = given[-1].number
                self._send(pushed(values, given, self._inbox.cursor(number)))


def pushed(values: Sequence[Mapping[str, Any]], messages: Sequence[Heard], cursor: str) -> str:
    """The line for some messages.

    Args:
        values: the same messages, as an answer has them.
        cursor: behind the last of them.
    """
    content = json.dumps({"untrusted": True, "messages": values}).translate(_UNTAGGED)
    kind = "private" if all(one.private for one in messages) else "mention"
    told = {"content": content, "meta": {"kind": kind, "cursor": cursor}}
    return jsonrpc.notification("notifications/claude/channel", told)


def _calls(message: Heard) -> bool:
    return message.wakes(mention=True)
