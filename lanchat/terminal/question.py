"""Questions of `lanchat ask`: how they read in a room, and which message is an answer. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lanchat.client.events import PrivateMessage
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Said
from lanchat.protocol.nicks import MAX_NICK, same_nick

_FIRST = "abcdefghkmnpqrstuvwxyz"  # none looks like a digit
_SECOND = "23456789"


@dataclass(frozen=True)
class Answer:
    """An answer that counts.

    Args:
        text: the choice as the question offers it; to an open question, what was said.
        code: the exit code: 0 for the first choice, NO for another.
    """

    text: str
    by: str
    nick: str
    private: bool
    code: int


NO = 7  # the exit code for an answer that is not the first choice


@dataclass(frozen=True)
class Question:
    """A question in a room.

    Args:
        code: begins the question and an answer to it.
        nick: of who asks.
        choices: the answers that count; none: every text is an answer.
        by: member ids of who may answer; none: everybody.
        plain: whether guests, who have no key, may answer.
    """

    text: str
    code: str
    nick: str
    choices: tuple[str, ...] = ("yes", "no")
    by: frozenset[str] = frozenset()
    plain: bool = False

    @property
    def line(self) -> str:
        """The question as the room sees it."""
        answers = "  or  ".join(f"{self.code} {choice}" for choice in self.choices or ("TEXT",))
        return f"[{self.code}] {self.text}  (answer: {answers})"

    def answer(self, message: Said | PrivateMessage) -> Answer | None:
        """What this message answers; None: it is no answer, or not one that counts.

        Args:
            message: of somebody else, after the question. A private one is to who asks.
        """
        if not (is_verified(message.by) or self.plain) or (self.by and message.by not in self.by):
            return None
        if isinstance(message, PrivateMessage) and message.problem:
            return None
        private = isinstance(message, PrivateMessage)
        addressed = self._addressed(message.text)
        if addressed is None and not private and not self.by:
            return None
        said = message.text.strip() if addressed is None else addressed
        if not self.choices:
            # A person who is waited for also talks of other things: only what is meant as an answer is one.
            return Answer(said, message.by, message.nick, private, 0) if said and (addressed or private) else None
        wanted = same_text(said)
        for place, choice in enumerate(self.choices):
            if same_text(choice) == wanted:
                return Answer(choice, message.by, message.nick, private, NO if place else 0)
        return None

    def _addressed(self, text: str) -> str | None:
        """What stands behind the code, or behind the nick of who asks; None: neither begins the text."""
        found = re.match(rf"\[?{self.code}\]?(?:[\s:,]+(.*))?$", text.strip(), re.IGNORECASE | re.DOTALL)
        if found:
            return (found[1] or "").strip()
        return behind_nick(text.strip(), self.nick)


def behind_nick(text: str, nick: str) -> str | None:
    """What stands behind this nick, as people address each other: "bot: yes", "bot, yes", "@bot yes".

    None: the text is addressed to somebody else, or to nobody. A nick may hold spaces.
    """
    at = text.startswith("@")
    for end in re.finditer(r"\s*[:,]\s*|\s+" if at else r"\s*[:,]\s*", text[: 2 * MAX_NICK]):
        if same_nick(text[at : end.start()]) == same_nick(nick):
            return text[end.end() :].strip()
    return None


def same_text(answer: str) -> str:
    """Answers with the same value here are the same: neither case nor a full stop at the end counts."""
    return answer.strip().rstrip(".!").casefold()


def new_code(choose: Callable[[Sequence[str]], str], recent: Iterable[str]) -> str:
    """A code that no recent message contains.

    Args:
        choose: takes one of several at random.
    """
    used = {word for text in recent for word in re.findall(r"[a-z][0-9]", text.lower())}
    codes = [first + second for first in _FIRST for second in _SECOND]
    return choose([code for code in codes if code not in used] or codes)
