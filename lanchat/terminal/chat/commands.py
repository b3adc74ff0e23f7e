"""The slash commands: one table, from which /help, completion and what a line means are made. Pure."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

SLASH = "/"


@dataclass(frozen=True)
class SayIt:
    text: str
    action: bool = False


@dataclass(frozen=True)
class TellThem:
    nick: str
    text: str


@dataclass(frozen=True)
class Reply:
    text: str


@dataclass(frozen=True)
class AskNick:
    nick: str


@dataclass(frozen=True)
class ShowHelp:
    pass


@dataclass(frozen=True)
class ShowWho:
    pass


@dataclass(frozen=True)
class ShowInvite:
    pass


@dataclass(frozen=True)
class Verify:
    nick: str


@dataclass(frozen=True)
class Ignore:
    nick: str
    on: bool


@dataclass(frozen=True)
class UseRight:
    """What only whoever hosts may do: kick, ban, unban, lock, unlock."""

    action: str
    nick: str = ""


@dataclass(frozen=True)
class Leave:
    pass


@dataclass(frozen=True)
class Unknown:
    """No such command; nothing is sent."""

    name: str
    nearest: str = ""  # the command that was perhaps meant

    def __str__(self) -> str:
        meant = f"did you mean /{self.nearest}?" if self.nearest else "/help lists what there is."
        return f"there is no /{self.name}; {meant} To say a line that begins with a slash, begin it with //"


@dataclass(frozen=True)
class Misused:
    """A command that cannot be carried out as typed, and why."""

    why: str

    def __str__(self) -> str:
        return self.why


Intent = (
    SayIt
    | TellThem
    | Reply
    | AskNick
    | ShowHelp
    | ShowWho
    | ShowInvite
    | Verify
    | Ignore
    | UseRight
    | Leave
    | Unknown
    | Misused
)


@dataclass(frozen=True)
class Command:
    """One row of the table.

    Args:
        argument: as /help shows it: "" for none, "NICK" for one that must be there, "[NICK]" for one that may.
        intent: makes the value from the argument ("" where none was given).
        for_host: only whoever hosts may use it, and sees it.
    """

    name: str
    argument: str
    help: str
    intent: Callable[[str], Intent]
    aliases: tuple[str, ...] = ()
    for_host: bool = False

    @property
    def usage(self) -> str:
        return f"{SLASH}{self.name} {self.argument}".rstrip()


def _nick(text: str) -> str:
    """A nick as it is shown or completed: with the mark of the plain door, or the comma of an address."""
    return text.removeprefix("~").rstrip(":, ")


def _tell(argument: str) -> Intent:
    nick, *rest = argument.split(maxsplit=1)
    return TellThem(_nick(nick), rest[0]) if rest else Misused("this command is used as: /msg NICK TEXT")


COMMANDS = (
    Command("help", "", "show this list", lambda _: ShowHelp(), aliases=("h", "?")),
    Command("who", "", "show who is in the room", lambda _: ShowWho(), aliases=("names",)),
    Command("nick", "NICK", "take another nick", AskNick),
    Command("me", "TEXT", "say what you do: /me waves", lambda text: SayIt(text, action=True)),
    Command("msg", "NICK TEXT", "tell one person alone, also one who is away; the host could read it", _tell),
    Command("reply", "TEXT", "answer who last told you something alone", Reply, aliases=("r",)),
    Command("invite", "", "show how others come in, also as a QR code", lambda _: ShowInvite()),
    Command("verify", "NICK", "show the fingerprint of somebody's key, to compare", lambda text: Verify(_nick(text))),
    Command("ignore", "NICK", "see nothing more of somebody", lambda text: Ignore(_nick(text), True)),
    Command("unignore", "NICK", "see them again", lambda text: Ignore(_nick(text), False)),
    Command("kick", "NICK", "send somebody out", lambda text: UseRight("kick", _nick(text)), for_host=True),
    Command("ban", "NICK", "send a key out for good", lambda text: UseRight("ban", _nick(text)), for_host=True),
    Command("unban", "NICK", "let them in again", lambda text: UseRight("unban", _nick(text)), for_host=True),
    Command("lock", "", "let nobody new in", lambda _: UseRight("lock"), for_host=True),
    Command("unlock", "", "let newcomers in again", lambda _: UseRight("unlock"), for_host=True),
    Command("quit", "", "leave the room", lambda _: Leave(), aliases=("q", "exit")),
)


@dataclass(frozen=True)
class Completion:
    """What could stand in place of the last `replaces` characters before the cursor."""

    text: str
    replaces: int
    hint: str = ""


def parse(text: str, *, host: bool = False, commands: tuple[Command, ...] = COMMANDS) -> Intent:
    """What a typed line, or a pasted page, means.

    A page is a command only when its first line is one: a pasted file may well begin with a path.
    """
    if not text.startswith(SLASH):
        return SayIt(text)
    if text.startswith(SLASH * 2):
        return SayIt(text[1:])
    first_word = text.split(maxsplit=1)[0]
    name, argument = first_word[1:].lower(), text[len(first_word) :].strip()
    command = _find(name, commands)
    if command is None:
        if "\n" in text:
            return SayIt(text)
        return Unknown(first_word[1:], _nearest(name, _usable(commands, host)))
    if command.for_host and not host:
        return Misused(f"{SLASH}{command.name} is for whoever hosts the room")
    if bool(argument) != bool(command.argument) and not command.argument.startswith("["):
        return Misused(f"this command is used as: {command.usage}")
    return command.intent(argument)


def help_text(*, host: bool = False, commands: tuple[Command, ...] = COMMANDS) -> str:
    usable = _usable(commands, host)
    column = max(len(command.usage) for command in usable)
    rows = [f"{command.usage:<{column}}  {command.help}" for command in usable]
    rows.append(f"{'//...':<{column}}  say a line that begins with a slash")
    rows.append("Alt-Enter makes a new line, Tab completes, Ctrl-C clears the line and leaves from an empty one")
    return "\n".join(rows)


def complete(
    before: str, nicks: Iterable[str], *, host: bool = False, commands: tuple[Command, ...] = COMMANDS
) -> list[Completion]:
    """What the word before the cursor could become: a command at the start of the text, a nick anywhere."""
    word = before.split(" ")[-1].split("\n")[-1]
    if before.startswith(SLASH) and word == before:
        typed = before[1:].lower()
        found = [command for command in _usable(commands, host) if command.name.startswith(typed)]
        return [Completion(f"{SLASH}{c.name}{' ' if c.argument else ''}", len(word), c.help) for c in found]
    if not word:
        return []
    tail = ": " if word == before else " "  # a line that begins with a nick speaks to them
    found_nicks = sorted((nick for nick in nicks if nick.casefold().startswith(word.casefold())), key=str.casefold)
    return [Completion(nick + tail, len(word)) for nick in found_nicks]


def _find(name: str, commands: tuple[Command, ...]) -> Command | None:
    return next((command for command in commands if name == command.name or name in command.aliases), None)


def _usable(commands: tuple[Command, ...], host: bool) -> list[Command]:
    return [command for command in commands if host or not command.for_host]


def _nearest(name: str, commands: list[Command]) -> str:
    for command in commands:
        if name and command.name.startswith(name):
            return command.name
    return next(iter(difflib.get_close_matches(name, [command.name for command in commands], 1)), "")
