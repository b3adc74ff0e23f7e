"""`lanchat ask`: asks a room a question, and waits for the answer."""

import secrets
from dataclasses import dataclass, replace
from typing import IO

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Disconnected, Item, PrivateMessage
from lanchat.errors import LanchatError, Refused, TimedOut
from lanchat.protocol.ids import is_room_id, is_verified
from lanchat.protocol.messages import Notice, Said
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import listed, safe_text
from lanchat.room.roster import Person
from lanchat.terminal import json_events
from lanchat.terminal.deadline import remaining
from lanchat.terminal.ending import with_end
from lanchat.terminal.json_events import written
from lanchat.terminal.notes import link_note
from lanchat.terminal.past import PastWatch
from lanchat.terminal.question import Answer, Question, new_code
from lanchat.terminal.stdio import put
from lanchat.terminal.wording import note_text, notice_text

_LAST_WORD = 1.0  # s for the host to store what is said at the end


@dataclass(frozen=True)
class AskOptions:
    """What to ask, and whose answer counts.

    Args:
        choices: as for `Question`.
        wanted: the nick or the fingerprint of who may answer; None: everybody with a key.
        private: the nick of the one who alone gets the question and may answer.
        plain: as for `Question`.
        timeout: s, for the sentences that name it; None: there is no limit.
    """

    text: str
    choices: tuple[str, ...] = ("yes", "no")
    wanted: str | None = None
    private: str | None = None
    plain: bool = False
    as_json: bool = False
    timeout: float | None = None


class Asking:
    """One run of `lanchat ask` in a room. Belongs to the main thread, which gets Ctrl-C.

    Args:
        deadline: when to give up, by `time.monotonic()`; None: never.
        out: gets the answer.
        talk: gets everything else.
    """

    def __init__(
        self, room: JoinedRoom, options: AskOptions, deadline: float | None, out: IO[str], talk: IO[str]
    ) -> None:
        self._room = room
        self._options = options
        self._deadline = deadline
        self._out = out
        self._talk = talk
        self._recent: list[str] = []
        self._answered = False

    def run(self) -> int:
        """Ask, and wait for the answer. Returns the exit code. Of `as_json`, without an answer a line says why.

        Raises:
            Refused: nobody here is who may answer, or the host does not take the question.
            TimedOut: nobody has answered in time.
            LanchatError: the connection has ended.
        """
        return with_end(self._run, self._write_end) if self._options.as_json else self._run()

    def _run(self) -> int:
        self._take_past()
        options = self._options
        people = self._people()
        question = Question(options.text, "", self._room.nick, options.choices, people, options.plain)
        question = replace(question, code=new_code(secrets.choice, self._recent))
        try:
            id = self._say(question.line)
            if self._talk.isatty():  # a person sees nothing else until the answer comes
                waiting = f"Asked as [{question.code}]. Waiting for an answer; Ctrl-C withdraws the question."
                put(self._talk, note_text(waiting))
            answer = self._wait_answer(question, id)
        except TimedOut:
            limit = "" if options.timeout is None else f" within {options.timeout:g} s"
            self._last_word(f"[{question.code}] no answer{limit}; not waiting any more")
            raise TimedOut(f"No answer{limit}.") from None
        except KeyboardInterrupt:
            self._last_word(f"[{question.code}] withdrawn")
            raise
        self._print(answer)
        self._last_word(f"[{question.code}] {answer.text}, by {safe_nick(answer.nick)}")
        return answer.code

    def _take_past(self) -> None:
        """Read what was said before the question, which is no answer to it."""
        past = PastWatch()
        while not past.over:
            items = self._room.take(past.patience(remaining(self._deadline)))
            if not items and past.has_end:
                raise TimedOut("The question could not be asked in time.")
            if not items:
                return
            for item in items:
                self._follow(item)
                past.follow(item)
                if isinstance(item, Said):
                    self._recent.append(item.text)

    def _people(self) -> frozenset[str]:
        """The member ids of who may answer; none: everybody. A nick stands for its key from now on."""
        wanted = self._options.private or self._options.wanted
        if wanted is None:
            return frozenset()
        key = wanted.replace(" ", "").lower()
        if is_room_id(key):  # a fingerprint has the same form
            return frozenset([key])
        found = [person for person in self._room.state.roster.called(wanted.removeprefix("~")) if self._counts(person)]
        if len(found) != 1:
            here = listed([safe_nick(person.nick) for person in self._room.people if self._counts(person)])
            who = "Nobody" if not found else f"{len(found)} people"
            raise Refused(
                f'{who} with a key {"is" if not found else "are"} called "{safe_text(wanted)}" here.',
                "Give a fingerprint instead, which its owner sees by lanchat id."
                if found
                else f"People with a key here: {here}"
                if here
                else "",
            )
        return frozenset([found[0].id])

    def _counts(self, person: Person) -> bool:
        return is_verified(person.id) or self._options.plain

    def _say(self, line: str) -> str:
        """Say the question. Returns its id."""
        try:
            if self._options.private is not None:
                return self._room.tell(self._options.private, line, wait=remaining(self._deadline))
            return self._room.say(line)
        except ValueError as error:  # it is to us or to a guest, or too long together with its code
            raise Refused(str(error)) from None

    def _wait_answer(self, question: Question, id: str) -> Answer:
        asked = False
        while True:
            items = self._room.take(remaining(self._deadline))
            if not items:
                raise TimedOut("")
            for item in items:
                self._follow(item)
                if not isinstance(item, Said | PrivateMessage):
                    continue
                if self._room.is_own(item):
                    asked = asked or item.id == id
                elif isinstance(item, Said) or item.to == self._room.state.me:
                    program = not question.by and self._room.state.roster.is_bot(item.by, item.nick)
                    answer = question.answer(item) if asked and not program else None
                    if answer is not None:
                        if isinstance(item, PrivateMessage):
                            self._room.confirm([item])
                        return answer

    def _follow(self, item: Item) -> None:
        self._room.follow(item)
        match item:
            case Closed(error=error):
                raise error
            case Notice(code="unsent", text=text):
                raise Refused(text, code="unsent")
            case Notice(text=text):
                self._note(notice_text(self._room.state.roster, text))
            case Disconnected() | Connected() if note := link_note(item):
                self._note(note)

    def _print(self, answer: Answer) -> None:
        self._answered = True
        if self._options.as_json:
            self._write_json(json_events.Answer(answer.text, answer.by, answer.nick, answer.private))
        else:
            put(self._out, answer.text)

    def _write_end(self, line: json_events.Line) -> None:
        if not self._answered:  # else the answer is the one line that a script reads
            self._write_json(line)

    def _write_json(self, line: json_events.Line) -> None:
        self._out.write(written(line))
        self._out.flush()

    def _last_word(self, text: str) -> None:
        """Tell who was asked what became of the question, if that is possible at once."""
        try:
            if self._options.private is not None:
                self._room.tell(self._options.private, text, wait=_LAST_WORD)
            else:
                self._room.send(text)
                self._room.wait_acked(_LAST_WORD)
        except (LanchatError, ValueError) as error:
            self._note(f"Could not be said any more: {error}")

    def _note(self, text: str) -> None:
        put(self._talk, note_text(text))
