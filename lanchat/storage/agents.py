"""The identities of agents, in LANCHAT_HOME/agents/NICK. Each agent has a key of its own, so that nobody takes it for
its person, and so that it can be banned alone."""

from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.nicks import clean_nick, same_nick, with_tail
from lanchat.storage.files import FileLock, file_errors, lock_file, make_folder
from lanchat.storage.identity import Identity, load_identity

_FOLDER, _LOCK = "agents", "lock"
_MOST = 100


class AgentIdentity:
    """The identity of one running agent. No other program uses it until `close`."""

    def __init__(self, nick: str, identity: Identity, lock: FileLock) -> None:
        self.nick = nick
        self.identity = identity
        self._lock = lock

    def close(self) -> None:
        self._lock.close()


def agent_identity(home: Path, nick: str) -> AgentIdentity:
    """The identity of the agent with this nick; while another run has it, that of NICK-2 or so.

    Raises:
        ValueError: it breaks the rules of a nick.
        LanchatError: the folder cannot be written.
    """
    nick = clean_nick(nick)
    for number in range(1, _MOST + 1):
        own = nick if number == 1 else with_tail(nick, f"-{number}")
        if (lock := _lock(home, own)) is not None:
            return AgentIdentity(own, load_identity(_folder(home, own)), lock)
    raise LanchatError(f"{_MOST} agents with this nick run on this machine.", "Choose another one: --nick NICK")


def _lock(home: Path, nick: str) -> FileLock | None:
    folder = _folder(home, nick)
    with file_errors(folder):
        make_folder(folder.parent)
        make_folder(folder)
        return lock_file(folder / _LOCK)


def _folder(home: Path, nick: str) -> Path:
    """Its name is harmless on every file system: special characters stand as their codes."""
    name = "".join(char if char.isalnum() or char == "-" else f"_{ord(char):x}" for char in same_nick(nick))
    return home / _FOLDER / name
