"""Does what an agent asks of a tool. Each call has a thread of its own."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lanchat.agents import tools
from lanchat.agents.arguments import Call
from lanchat.agents.heard import Heard
from lanchat.agents.inbox import AgentInbox
from lanchat.agents.rooms import AgentRoom
from lanchat.agents.rules import Speaking
from lanchat.errors import LanchatError, Refused, TimedOut
from lanchat.protocol.ids import is_verified
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import clean_text, safe_text, same_title

STORED_WITHIN = 10.0  # s for the host to store what is said
PROGRESS_EVERY = 10.0  # s


class Calls:
    """The tools of one agent. Any thread.

    Args:
        files: the folder from which files may be sent; None: no files.
    """

    def __init__(self, agent_rooms: Sequence[AgentRoom], inbox: AgentInbox, files: Path | None) -> None:
        self._rooms, self._inbox, self._files = agent_rooms, inbox, files
        self._speaking = Speaking()
        self._lock = threading.Lock()  # guards _speaking, _given
        self._given = 0  # the number of the last message that the agent was given

    def result(self, name: str, call: Call) -> dict[str, Any]:
        """The result of a call. What goes wrong is told in it, since only the model can do anything about it.

        Raises:
            BadArguments: the tool does not take these.
        """
        try:
            return tools.answered(self._method(name)(call))
        except (LanchatError, ValueError) as error:
            hint = f" {error.hint}" if isinstance(error, LanchatError) and error.hint else ""
            return tools.troubled(safe_text(f"{error}{hint}"))

    def _method(self, name: str) -> Callable[[Call], dict[str, Any]]:
        """The method that carries out the calls of this tool. It has the name of the tool."""
        methods = (self.rooms, self.read, self.wait, self.who, self.say, self.tell, self.send_file)
        return next(method for method in methods if method.__name__ == name)

    # ---- reading

    def rooms(self, call: Call) -> dict[str, Any]:
        return {"rooms": [_room_values(one, title) for one, title in zip(self._rooms, self._titles(), strict=True)]}

    def who(self, call: Call) -> dict[str, Any]:
        agent_room = self._agent_room(call)
        people = [
            {
                "nick": safe_nick(person.nick),
                "id": person.id[:16],
                "verified": is_verified(person.id),
                "host": person.host,
                "program": person.bot,
                "away": safe_text(person.away),
                "you": person.id == agent_room.joined().state.me,
            }
            for person in agent_room.joined().people
        ]
        return {
            "room": self._title(agent_room),
            "people": people[: tools.MOST_READ],
            "number": agent_room.joined().crowd or len(people),
        }

    def read(self, call: Call) -> dict[str, Any]:
        limit = min(tools.MOST_READ, max(1, int(call.number("limit", 50) or 1)))
        room, search, cursor = self._wanted(call), call.text("search").casefold(), call.text("cursor")

        def fits(one: Heard) -> bool:
            return (room is None or one.room == room) and search in one.text.casefold()

        if cursor:
            found, more = self._inbox.after(self._inbox.number_of(cursor), fits, limit)
        else:
            found, more = self._inbox.latest(fits, limit)
        return self._answer(found, more=more)

    def wait(self, call: Call) -> dict[str, Any]:
        cursor = call.text("cursor")
        number = self._inbox.number_of(cursor) if cursor else self._given
        return self._replies(call, number, call.number("timeout"), tools.WAIT)

    # ---- speaking

    def say(self, call: Call) -> dict[str, Any]:
        agent_room, text = self._agent_room(call), clean_text(call.text("text"))
        room = agent_room.joined()
        with agent_room.lock:
            if refusal := agent_room.loop_guard.refusal(time.monotonic()):
                raise Refused(refusal)
        number = self._inbox.last
        self._count(f"{agent_room.name} {text}", again=call.flag("again"))
        try:
            room.say(text, wait=STORED_WITHIN)
            kept = True
        except TimedOut:
            kept = False
        if wait := call.number("wait"):
            return {"kept": kept, **self._replies(call, number, wait, 0.0)}
        return {"kept": kept, "cursor": self._inbox.cursor(number)}

    def tell(self, call: Call) -> dict[str, Any]:
        agent_room, nick, text = self._agent_room(call), call.text("nick"), clean_text(call.text("text"))
        room, number = agent_room.joined(), self._inbox.last
        self._count(f"{agent_room.name} {nick} {text}", again=call.flag("again"))
        try:
            receipt = agent_room.receipt(room.tell(nick, text, wait=STORED_WITHIN)) or "here"
        except Refused as error:
            return {"receipt": "refused", "why": str(error)}
        except TimedOut:
            receipt = "unknown"
        if wait := call.number("wait"):
            return {"receipt": receipt, **self._replies(call, number, wait, 0.0)}
        return {"receipt": receipt, "cursor": self._inbox.cursor(number)}

    def send_file(self, call: Call) -> dict[str, Any]:
        assert self._files is not None
        # Not by `Path.resolve` and `Path.is_file`, which raise for a loop of links and for a name that is too long.
        folder = Path(os.path.realpath(self._files))
        path = Path(os.path.realpath(folder / call.text("path")))
        if not path.is_relative_to(folder) or not os.path.isfile(path):
            raise Refused("There is no such file below the folder that your person has named.")
        room = self._agent_room(call).joined()
        self._count(f"file {path}", again=False)
        sent = room.send_file(path)
        return {"kept": True, "file": sent.file, "sha256": sent.sha256}

    # ---- what they share

    def _agent_room(self, call: Call) -> AgentRoom:
        wanted = call.text("room")
        if not wanted and len(self._rooms) == 1:
            return self._rooms[0]
        titles, same = self._titles(), same_title(wanted)
        for agent_room, title in zip(self._rooms, titles, strict=True):
            if wanted in (agent_room.name, title):
                return agent_room
        alike = [agent_room for agent_room in self._rooms if same == same_title(agent_room.title)]
        if len(alike) == 1:
            return alike[0]
        named = ", ".join(f'"{title}"' for title in titles)
        raise Refused(f"Which room? You are in: {named}")

    def _wanted(self, call: Call) -> str | None:
        """The name of the one room that is asked for; None: all."""
        return self._agent_room(call).name if call.text("room") else None

    def _titles(self) -> list[str]:
        """What the agent calls its rooms: by title, and where two have the same one, also as its person named them."""
        titles = [same_title(one.title) for one in self._rooms]
        clash = [
            titles.count(title) > 1 and same_title(one.name) != title
            for one, title in zip(self._rooms, titles, strict=True)
        ]
        return [
            safe_text(f"{one.title} ({one.name})" if clashes else one.title)
            for one, clashes in zip(self._rooms, clash, strict=True)
        ]

    def _title(self, agent_room: AgentRoom) -> str:
        return self._titles()[self._rooms.index(agent_room)]

    def _count(self, what: str, *, again: bool) -> None:
        """Count a message of the agent. Raises Refused if it would be one too many, or repeats an earlier one."""
        now = time.monotonic()
        with self._lock:
            if refusal := self._speaking.refusal(what, now, again=again):
                raise Refused(refusal)
            self._speaking.said(what, now)

    def _replies(self, call: Call, number: int, wanted: float | None, default: float) -> dict[str, Any]:
        """Wait for a message that may wake the agent, and answer with what others have said behind this number."""
        seconds = tools.longest_wait(wanted, default, told=call.progress is not None)
        room, mention = self._wanted(call), call.flag("mention")

        def wakes(one: Heard) -> bool:
            return (room is None or one.room == room) and one.wakes(mention=mention)

        woken, passed = False, 0.0
        while not woken and passed < seconds and not call.cancelled.is_set():
            step = min(PROGRESS_EVERY, seconds - passed) if call.progress is not None else seconds
            began = time.monotonic()
            woken = self._inbox.wait(number, wakes, step, call.cancelled.is_set)
            passed += max(time.monotonic() - began, 0.001)
            if call.progress is not None and not woken and passed < seconds:
                call.progress(passed, seconds)
            if self._inbox.closed:
                break
        found, more = self._inbox.after(
            number, lambda one: (room is None or one.room == room) and not one.own, tools.MOST_READ
        )
        answer = self._answer(found, more=more, number=number)
        return answer if woken else {**answer, "note": tools.NOTHING}

    def _answer(self, found: Sequence[Heard], *, more: bool, number: int | None = None) -> dict[str, Any]:
        """Messages as an answer, and a cursor behind the last of them.

        Args:
            number: where a cursor stands if there are none; None: behind all.
        """
        titles = {one.name: title for one, title in zip(self._rooms, self._titles(), strict=True)}
        values = tools.fitting(found, titles if len(titles) > 1 else {})
        given = found[: len(values)]
        last = given[-1].number if given else self._inbox.last if number is None else number
        with self._lock:
            self._given = max(self._given, last)
        for agent_room in self._rooms:
            agent_room.seen({one.number for one in given if one.private})
        return {
            "cursor": self._inbox.cursor(last),
            "messages": values,
            **({"more": True} if more or len(given) < len(found) else {}),
        }


def _room_values(agent_room: AgentRoom, title: str) -> dict[str, Any]:
    room = agent_room.room
    if room is None:
        return {"title": title, "joined": False, "why": safe_text(agent_room.problem)}
    return {
        "title": title,
        "joined": True,
        "you": room.nick,
        "people": room.crowd or len(room.people),
        "password": room.card.password,
    }
