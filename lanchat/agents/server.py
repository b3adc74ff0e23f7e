"""An MCP server: reads requests from stdin, answers on stdout, and leaves the rooms when stdin ends.

The caller's thread reads. Each call of a tool has a thread of its own, so that one that waits holds up no other; one
lock keeps the lines of stdout whole.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from lanchat import __version__
from lanchat.agents import jsonrpc, tools
from lanchat.agents.arguments import BadArguments, Call
from lanchat.agents.inbox import AgentInbox
from lanchat.agents.jsonrpc import Fault, Id, Request
from lanchat.agents.push import ABOUT, CAPABILITY, Push
from lanchat.agents.rooms import AgentRoom

if TYPE_CHECKING:
    from lanchat.agents.calls import Calls

MOST_CALLS = 16  # at a time
LEAVE_WITHIN = 1.0  # s for all rooms; the client waits for us to end
_SERVER = {"name": "lanchat", "version": __version__}
_VERSIONS = [jsonrpc.NOW, *reversed(jsonrpc.EARLIER)]
_CAPABILITIES = {"tools": {"listChanged": False}}
_STAYS = {"ttlMs": 3_600_000, "cacheScope": "private"}  # a list of tools never changes while we run


class Server:
    """One run of `lanchat mcp`. `run` belongs to the main thread.

    Args:
        listed: the tools, as a client gets them.
        calls: does what they are asked; it is made at the first call.
        push: what calls the agent is also sent unasked, once the client is ready.
    """

    def __init__(
        self,
        listed: Sequence[Mapping[str, Any]],
        calls: Callable[[], "Calls"],
        agent_rooms: Sequence[AgentRoom],
        inbox: AgentInbox,
        out: IO[str],
        *,
        push: bool = False,
    ) -> None:
        self._listed, self._tools, self._rooms, self._inbox, self._out = listed, calls, agent_rooms, inbox, out
        self._writing = threading.Lock()  # guards _out
        self._calls: dict[Id, Call] = {}
        self._lock = threading.Lock()  # guards _calls
        self._begun = False
        self._push = Push(inbox, [one.name for one in agent_rooms], self._send) if push else None
        self._about: dict[str, Any] = {"capabilities": _CAPABILITIES, "instructions": tools.INSTRUCTIONS}
        if push:
            self._about = {"capabilities": _CAPABILITIES | CAPABILITY, "instructions": tools.INSTRUCTIONS + ABOUT}

    def run(self, lines: Iterator[bytes]) -> int:
        """Answer until there are no more lines. Returns the exit code."""
        try:
            for line in lines:
                self._receive(line)
        finally:
            self._end()
        return 0

    def _receive(self, line: bytes) -> None:
        try:
            request = jsonrpc.read(line)
            if request is not None:
                self._handle(request)
        except Fault as fault:
            self._write(jsonrpc.failure(fault))

    def _handle(self, request: Request) -> None:
        if request.id is None:
            if request.method == "notifications/cancelled" and request.params.request is not None:
                self._cancel(request.params.request)
            elif request.method == "notifications/initialized" and self._push is not None:
                self._push.start()
            return
        if request.is_modern and request.params.meta.version != jsonrpc.NOW:
            data = {"supported": _VERSIONS, "requested": request.params.meta.version}
            raise Fault(jsonrpc.WRONG_VERSION, f"This server speaks {jsonrpc.NOW}.", request.id, data)
        match request.method:
            case "initialize":
                version = jsonrpc.agreed_version(request.params.version)
                self._answer(request, {"protocolVersion": version, "serverInfo": _SERVER, **self._about})
            case "server/discover":
                self._answer(request, {"supportedVersions": _VERSIONS, **self._about, **_STAYS})
            case "ping":
                self._answer(request, {})
            case "tools/list":
                self._answer(request, {"tools": self._listed, **(_STAYS if request.is_modern else {})})
            case "tools/call":
                self._call(request, request.id)
            case _:
                raise Fault(jsonrpc.NO_METHOD, f"This server has no {request.method[:100]}.", request.id)
        if not self._begun:  # not earlier: a client that starts many servers waits for the first answer of each
            self._begun = True
            for agent_room in self._rooms:
                agent_room.start()

    def _call(self, request: Request, id: Id) -> None:
        name, token = request.params.name, request.params.meta.progress
        if name not in [tool["name"] for tool in self._listed]:
            raise Fault(jsonrpc.BAD_PARAMS, f"There is no tool {name[:100]}.", id)

        def progress(passed: float, seconds: float) -> None:
            told = {"progressToken": token, "progress": round(passed, 1), "total": seconds, "message": "Still waiting."}
            self._send(jsonrpc.notification("notifications/progress", told))

        call = Call(request.params.arguments, progress if token is not None else None)
        with self._lock:
            if len(self._calls) >= MOST_CALLS or id in self._calls:
                raise Fault(jsonrpc.INVALID_REQUEST, "Too many calls at a time.", id)
            self._calls[id] = call
        # A thread that waits for a host must not keep the program from ending.
        threading.Thread(target=self._carry_out, args=(request, id, call), name="agent-call", daemon=True).start()

    def _carry_out(self, request: Request, id: Id, call: Call) -> None:
        try:
            line = jsonrpc.result(request, self._tools().result(request.params.name, call), _SERVER)
        except BadArguments as error:
            line = jsonrpc.failure(Fault(jsonrpc.BAD_PARAMS, str(error), id))
        finally:
            with self._lock:
                del self._calls[id]
        if not call.cancelled.is_set():
            self._send(line)

    def _cancel(self, id: Id) -> None:
        with self._lock:
            call = self._calls.get(id)
        if call is not None:
            call.cancelled.set()
            self._inbox.wake()

    def _answer(self, request: Request, values: Mapping[str, Any]) -> None:
        self._write(jsonrpc.result(request, values, _SERVER))

    def _send(self, line: str) -> None:
        """Write from the thread of a call. A client that is gone is no fault, and the end of stdin ends the program."""
        with suppress(BrokenPipeError):
            self._write(line)

    def _write(self, line: str) -> None:
        with self._writing:
            self._out.write(line)
            self._out.flush()

    def _end(self) -> None:
        with self._lock:
            for call in self._calls.values():
                call.cancelled.set()
        self._inbox.close()
        leaving = [threading.Thread(target=agent_room.leave, daemon=True) for agent_room in self._rooms if self._begun]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join(LEAVE_WITHIN)
        for agent_room in self._rooms if self._begun else ():
            agent_room.join(LEAVE_WITHIN)
        if self._push is not None:
            self._push.join(LEAVE_WITHIN)
