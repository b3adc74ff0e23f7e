"""An agent's client, with the server in threads of this process."""

import io
import json
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lanchat.agents.calls import Calls
from lanchat.agents.inbox import AgentInbox
from lanchat.agents.rooms import AgentRoom, Once
from lanchat.agents.rules import Allowed
from lanchat.agents.server import Server
from lanchat.agents.tools import tools
from lanchat.api.room import JoinedRoom
from tests.support.waiting import PATIENCE, wait_until


class Answers(io.StringIO):
    """The server's stdout, as its client reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.refused: list[str] | None = None  # once its client reads no more: what was written since

    def write(self, text: str) -> int:
        if self.refused is not None:
            self.refused.append(text)
            raise BrokenPipeError
        assert text.isascii() and text.endswith("\n") and text.count("\n") == 1
        self.lines.put(json.loads(text))
        return len(text)


class Client:
    """An agent's client, with the server in threads of this process."""

    def __init__(self, join: Callable[[], JoinedRoom], allowed: Allowed, **options: Any) -> None:
        self._sent: queue.Queue[bytes | None] = queue.Queue()
        self._number = 0
        self.inbox: AgentInbox = options.get("inbox") or AgentInbox()
        self.notes: list[str] = []
        names: Sequence[str] = options.get("names", ["Room A"])
        joins: Sequence[Callable[[], JoinedRoom]] = options.get("joins", [join])
        self.agent_rooms = [
            AgentRoom(name, enter, self.inbox, lambda: allowed, self.notes.append)
            for name, enter in zip(names, joins, strict=True)
        ]
        files: Path | None = options.get("files")
        listed = tools(read_only=options.get("read_only", False), files=files is not None)
        self.out = Answers()
        self.codes: list[int] = []
        calls = Once(partial(Calls, self.agent_rooms, self.inbox, files))
        push = options.get("push", False)
        self.server = Server(listed, calls, self.agent_rooms, self.inbox, self.out, push=push)
        self._thread = threading.Thread(target=lambda: self.codes.append(self.server.run(iter(self._sent.get, None))))
        self._thread.start()

    def send(self, **values: Any) -> None:
        self._sent.put(json.dumps({"jsonrpc": "2.0", **values}).encode())

    def ask(self, method: str, params: dict[str, Any] | None = None) -> int:
        self._number += 1
        self.send(id=self._number, method=method, params=params or {})
        return self._number

    def answer(self) -> dict[str, Any]:
        return self.out.lines.get(timeout=PATIENCE)

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        number, answer = self.ask(method, params), self.answer()
        assert answer["id"] == number
        return answer

    def begin_call(self, tool: str, **arguments: Any) -> int:
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def called(self) -> dict[str, Any]:
        """What the call that ends now has given."""
        result = self.answer()["result"]
        assert not result["isError"], result
        values: dict[str, Any] = json.loads(result["content"][0]["text"])
        assert values["untrusted"] is True
        return values

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        self.begin_call(tool, **arguments)
        return self.called()

    def trouble(self, tool: str, **arguments: Any) -> str:
        self.begin_call(tool, **arguments)
        result = self.answer()["result"]
        assert result["isError"]
        return str(result["content"][0]["text"])

    def come(self) -> None:
        """Begin, and be in the room."""
        self.request("initialize", {"protocolVersion": "2025-11-25"})
        wait_until(lambda: all(agent_room.room is not None for agent_room in self.agent_rooms))

    def close(self) -> None:
        self._sent.put(None)
        self._thread.join()
