"""The slash commands: one table, from which parsing, /help and completion are made. Pure."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lanchat.protocol.text import last_argument
from lanchat.room.access import MAX_NICKS
from lanchat.room.mention import last_word
from lanchat.terminal.chat.intents import (
    Away,
    CancelTransfer,
    ChangeNick,
    Clear,
    Cohost,
    FetchFile,
    Ignore,
    Intent,
    Leave,
    Misused,
    Moderate,
    RemoveFile,
    Reply,
    Say,
    SayPrivately,
    SendFile,
    ShowFiles,
    ShowHelp,
    ShowInvite,
    ShowMentions,
    ShowWho,
    Standbys,
    Topic,
    Uncohost,
    Unknown,
    Unsent,
    Verify,
    Web,
)
from lanchat.terminal.wrap import hang

SLASH = "/"
_UNDER = 4  # cells before what stands below a command in a narrow window


@dataclass(frozen=True)
class Command:
    """One row of the table.

    Args:
        argument: as /help shows it: "" for none, "NICK" for one that is required, "[NICK]" for one that is optional.
        intent: makes the value from the argument ("" if none was given).
        for_host: only the host sees it and may use it.
        everyday: it stands in the short list of /help.
    """

    name: str
    argument: str
    help: str
    intent: Callable[[str], Intent]
    aliases: tuple[str, ...] = ()
    for_host: bool = False
    everyday: bool = False

    @property
    def usage(self) -> str:
        return f"{SLASH}{self.name} {self.argument}".rstrip()


def _nick(text: str) -> str:
    """The nick without what it is shown, completed or called with: the tilde of a guest, the colon, the @."""
    return text.removeprefix("@").removeprefix("~").rstrip(":, ")


def _private(argument: str) -> Intent:
    nick, *text = argument.split(maxsplit=1)
    return SayPrivately(_nick(nick), text[0]) if text else Misused("usage: /msg NICK TEXT")


def _fetch(argument: str) -> Intent:
    file, *folder = argument.split(maxsplit=1)
    return FetchFile(file, folder[0] if folder else "")


def _standbys(argument: str) -> Intent:
    return Standbys(" ".join(map(_nick, argument.split())))


def _web(argument: str) -> Intent:
    match argument.split():
        case []:
            return Web("show")
        case ["off"]:
            return Web("off")
        case ["new", *hours] if len(hours) < 2:
            try:
                return Web("new", *map(_hours, hours))
            except ValueError:
                return Misused("The number of hours is between 0.1 and 8760.")
    return Misused("usage: /web, /web new [HOURS] or /web off")


def _hours(word: str) -> float:
    hours = float(word)
    if not 0.1 <= hours <= 8760:  # nan is not either
        raise ValueError("too few or too many hours")
    return hours


def _everyday(name: str, argument: str, help: str, intent: Callable[[str], Intent], *aliases: str) -> Command:
    return Command(name, argument, help, intent, aliases, everyday=True)


def _host_only(action: str, help: str, argument: str = "NICK", *, everyday: bool = False) -> Command:
    def intent(text: str) -> Intent:
        if len(text.split()) > 1:  # a nick has no space, and elsewhere a reason follows it
            return Misused(f"/{action} takes a nick alone, and passes on no reason. usage: /{action} NICK")
        return Moderate(action, _nick(text))

    return Command(action, argument, help, intent, for_host=True, everyday=everyday)


COMMANDS = (
    Command("help", "[all|COMMAND]", "show the usual commands, all, or one", ShowHelp, aliases=("h", "?")),
    _everyday("who", "[NICK]", "show who is in the room", lambda nick: ShowWho(_nick(nick)), "names", "users"),
    _everyday("nick", "NICK", f"change your nick; you can have {MAX_NICKS} in a room", ChangeNick),
    _everyday("me", "TEXT", "say what you do: /me waves", lambda text: Say(text, action=True)),
    _everyday("msg", "NICK TEXT", "send a private message, even to someone away", _private, "dm", "query"),
    _everyday("reply", "TEXT", "reply to the last private message", Reply, "r"),
    _everyday("away", "[TEXT]", "show that you are away, until /back", lambda text: Away(text or "away")),
    Command("back", "", "show that you are back", lambda _: Away("")),
    Command("mentions", "", "list the last messages that name you", lambda _: ShowMentions()),
    _everyday("send", "PATH [NICK]", "send a file or a folder, to all or to one", SendFile),
    _everyday("files", "", "list the files of the room", lambda _: ShowFiles()),
    _everyday("get", "NUMBER [FOLDER]", "fetch a file of the list", _fetch),
    Command("cancel", "NUMBER", "stop sending or fetching a file", CancelTransfer),
    Command("remove", "NUMBER", "take back a file of yours", RemoveFile),
    _everyday("invite", "", "show the link to join with, and its QR code", lambda _: ShowInvite()),
    Command("verify", "NICK", "show somebody's key, to compare it", lambda nick: Verify(_nick(nick)), ("whois",)),
    _everyday("ignore", "[NICK]", "hide somebody's messages; alone, list whose", lambda n: Ignore(_nick(n), True)),
    Command("unignore", "NICK", "show their messages again", lambda nick: Ignore(_nick(nick), False)),
    _host_only("kick", "remove somebody", everyday=True),
    _host_only("ban", "remove somebody for good (by key)", everyday=True),
    _host_only("unban", "lift a ban"),
    _everyday("topic", "[TEXT]", "show the topic; a host sets or removes (-) it", Topic),
    _host_only("lock", "admit only those who have been here before", "", everyday=True),
    _host_only("unlock", "admit newcomers again", ""),
    Command("standbys", "[auto|off|NICK ...]", "show or choose who can host the room next", _standbys),
    Command("cohost", "CODE", "let a waiting computer host the room, too", Cohost, for_host=True),
    Command("uncohost", "NICK", "stop NICK's computer from hosting it", lambda n: Uncohost(_nick(n)), for_host=True),
    _host_only("handover", "let NICK's computer host the room"),
    Command("takeback", "", "host your own room again", lambda _: Moderate("takeback")),
    _host_only("close", "close your room for everybody, standbys too", ""),
    Command(
        "web", "[new [HOURS]|off]", "show the address for browsers, or close it", _web, for_host=True, everyday=True
    ),
    Command("discard", "", "drop your messages that are not sent yet", lambda _: Unsent(send=False)),
    Command("resend", "", "send your messages that were held back", lambda _: Unsent(send=True)),
    Command("clear", "", "clear the window", lambda _: Clear()),
    _everyday("quit", "", "leave the room", lambda _: Leave(), "q", "exit", "leave", "part", "bye"),
)


@dataclass(frozen=True)
class Completion:
    """A text that could replace the last `replaces` characters before the cursor."""

    text: str
    replaces: int
    hint: str = ""


def parse(text: str, *, hosting: bool = False) -> Intent:
    """What a typed line or a pasted page means.

    A page is a command only if its first word is one, since a pasted file may well begin with a path.
    """
    if not text.startswith(SLASH):
        return Say(text)
    if text.startswith(SLASH * 2):
        return Say(text[1:])
    first_word = text.split(maxsplit=1)[0]
    name, argument = first_word[1:].lower(), text[len(first_word) :].strip()
    command = _find(name)
    if command is None:
        if "\n" in text:
            return Say(text)
        return Unknown(first_word[1:], _nearest(name, _usable(hosting)))
    if command.for_host and not hosting:
        return Misused(f"Only the host can use {SLASH}{command.name}.", mendable=False)
    if bool(argument) != bool(command.argument) and not command.argument.startswith("["):
        return Misused(f"usage: {command.usage}")
    return command.intent(argument)


def help_text(
    wanted: str = "",
    keys: Iterable[str] = (),
    *,
    hosting: bool = False,
    width: int = 0,
) -> str:
    """The answer to /help: a table, and below it sentences.

    Args:
        wanted: "": the commands of every day, which fit into a window; "all"; or one command.
        keys: sentences about the keys.
        width: cells of a row; 0 to break no rows.

    Raises:
        ValueError: there is no such command.
    """
    usable = _usable(hosting)
    name = wanted.removeprefix(SLASH).lower()
    if name == "all":
        below = list(keys)
        table = [(command.usage, command.help) for command in usable]
        table.append(("//TEXT", "say something that begins with a slash"))
    elif name:
        command = _find(name)
        if command not in usable:
            raise ValueError(f"No command {SLASH}{name}. /help all lists them.")
        return f"{command.usage}  {command.help}"
    else:
        table = [(command.usage, command.help) for command in usable if command.everyday]
        below = ["/help all lists all commands.", *keys]
    column = max(len(usage) for usage, _ in table) + 2
    if 0 < width < 2 * column:  # too narrow for two columns
        lines = [f"{usage}\n{' ' * _UNDER}{hang(help, width, _UNDER)}" for usage, help in table]
    else:
        lines = [f"{usage:<{column}}{hang(help, width, column)}" for usage, help in table]
    return "\n".join([*lines, *below])


def search_hint(name: str, title: str, *, ephemeral: bool) -> str:
    """The answer to /search and its kin: a search is a command of its own, which needs the copy on this disk."""
    if ephemeral:
        return f"No command /{name}, and nothing of this room is stored, so there is nothing to search."
    return f"No command /{name}. In another window:  lanchat history --search WORDS {last_argument(title)}"


def complete(before: str, nicks: Iterable[str], *, hosting: bool = False) -> list[Completion]:
    """What the word before the cursor could become: a command at the beginning of the text, a nick anywhere."""
    words = last_word(before)
    word = words[0] if words else ""
    if before.startswith(SLASH) and word == before:
        typed = before[1:].lower()
        found = [command for command in _usable(hosting) if command.name.startswith(typed)]
        found = [command for command in found if command.name == typed] or found  # "/me" is whole, "/men" goes on
        return [Completion(f"{SLASH}{c.name}{' ' if c.argument else ''}", len(word), c.help) for c in found]
    known = sorted(nicks, key=str.casefold)
    for word in words:
        tail = ": " if word == before else " "  # a line that begins with a nick addresses that person
        if found_nicks := [nick for nick in known if nick.casefold().startswith(word.casefold())]:
            return [Completion(nick + tail, len(word)) for nick in found_nicks]
    return []


def _find(name: str) -> Command | None:
    return next((command for command in COMMANDS if name == command.name or name in command.aliases), None)


def _usable(hosting: bool) -> list[Command]:
    return [command for command in COMMANDS if hosting or not command.for_host]


def _nearest(name: str, commands: list[Command]) -> str:
    for command in commands:
        if name and command.name.startswith(name):
            return command.name
    return next(iter(difflib.get_close_matches(name, [command.name for command in commands], 1)), "")
