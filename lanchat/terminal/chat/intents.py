"""The intent behind a typed line: one type of value for each kind of intent. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Say:
    text: str
    action: bool = False


@dataclass(frozen=True)
class SayPrivately:
    nick: str
    text: str


@dataclass(frozen=True)
class Reply:
    text: str


@dataclass(frozen=True)
class ChangeNick:
    nick: str


@dataclass(frozen=True)
class Cohost:
    """Let the computer with this code host the room as well."""

    code: str


@dataclass(frozen=True)
class Uncohost:
    """Let this person's computer host the room no more."""

    nick: str


@dataclass(frozen=True)
class ShowHelp:
    """The commands of every day ("all": all), or one command."""

    wanted: str = ""


@dataclass(frozen=True)
class ShowWho:
    """Who is in the room, or those of whose nick this is the beginning; "+": the next page of a crowd."""

    wanted: str = ""


@dataclass(frozen=True)
class ShowMentions:
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
class Moderate:
    """A right of the host (kick, ban, unban, lock, unlock) or of the owner (handover, takeback, close)."""

    action: str
    nick: str = ""


@dataclass(frozen=True)
class Away:
    text: str  # why; "": we are back


@dataclass(frozen=True)
class Topic:
    text: str  # "": show it; "-": remove it


@dataclass(frozen=True)
class Standbys:
    """The person asks who may host the room when its host is gone, or names standbys."""

    wanted: str = ""  # "auto", "off" or nicks; "": show them


@dataclass(frozen=True)
class Unsent:
    """What becomes of our messages that are not sent yet."""

    send: bool


@dataclass(frozen=True)
class Clear:
    pass


@dataclass(frozen=True)
class SendFile:
    path: str  # as it was typed


@dataclass(frozen=True)
class ShowFiles:
    pass


@dataclass(frozen=True)
class FetchFile:
    file: str  # its number or name
    folder: str = ""  # as it was typed


@dataclass(frozen=True)
class CancelTransfer:
    file: str  # its number or name


@dataclass(frozen=True)
class RemoveFile:
    file: str  # its number or name


@dataclass(frozen=True)
class Web:
    """What the host wants of the web door: show its address, a new guest link, or close it."""

    action: str  # "show", "new" or "off"
    hours: float = 24.0  # that a new guest link is valid


@dataclass(frozen=True)
class Leave:
    pass


@dataclass(frozen=True)
class Unknown:
    """There is no such command; nothing is sent."""

    name: str
    nearest: str = ""  # the command that was perhaps meant

    def __str__(self) -> str:
        meant = f"; did you mean /{self.nearest}?" if self.nearest else "; /help lists them."
        return f'No command /{self.name}{meant} (To say "/{self.name}", type //{self.name}.)'


@dataclass(frozen=True)
class Misused:
    """The command cannot be carried out as it was typed, and why."""

    why: str
    mendable: bool = True  # by typing it in another way

    def __str__(self) -> str:
        return self.why


Intent = (
    Say
    | SayPrivately
    | Reply
    | ChangeNick
    | ShowHelp
    | ShowWho
    | Cohost
    | Uncohost
    | Standbys
    | ShowInvite
    | ShowMentions
    | Verify
    | Ignore
    | Moderate
    | Topic
    | Away
    | Unsent
    | SendFile
    | ShowFiles
    | FetchFile
    | CancelTransfer
    | RemoveFile
    | Clear
    | Web
    | Leave
    | Unknown
    | Misused
)


def is_mendable(intent: Intent) -> bool:
    """Whether the person can correct what was typed, if this cannot be carried out. There is nothing to correct in a
    command that has no argument."""
    match intent:
        case Misused():
            return intent.mendable
        case ShowInvite() | ShowFiles() | Unsent() | Moderate(nick="") | Standbys(wanted=""):
            return False
    return True
