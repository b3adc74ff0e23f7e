"""Checks that a server may keep a room: whatever it has acknowledged must be on its disk. Pure.

A server tells about itself in INFO, CONFIG GET and ACL GETUSER. What it says is only shown after `safe_text`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.protocol.text import safe_text
from lanchat.server.engine.shared_log import EngineAway

COMMANDS = (  # the rights that a database user of lanchat needs; functions need those of the commands in them, too
    "fcall function|load function|list info config|get acl|getuser bgrewriteaof ping select "
    "xread xrange xadd xtrim xlen del hget hset hmget hdel hgetall hincrby "
    "zadd zrem zrangebyscore time"
).split()
_SHOWN = 60  # characters of a server's words in a sentence


@dataclass(frozen=True)
class ServerFacts:
    """What a server says about itself.

    Args:
        info: the fields of INFO that it gave.
        appendfsync: as CONFIG GET gave it; None: the server does not tell.
        default: flags, commands and keys of the user "default"; None: the server does not tell.
    """

    info: Mapping[str, str]
    appendfsync: str | None = None
    default: tuple[str, str, str] | None = None

    def get(self, name: str) -> str:
        return safe_text(self.info.get(name, ""))[:_SHOWN]

    @property
    def run_id(self) -> str:
        return self.get("run_id")


def check_server(facts: ServerFacts, *, trusted: bool = False) -> None:
    """Check that a server writes to its disk before it acknowledges, and throws nothing away.

    Args:
        trusted: its operator has confirmed that it writes at once, where it does not tell.

    Raises:
        EngineAway: the server has just been started, and still reads its file. Until then it says that it has none.
        LanchatError: this server may lose what it is given.
    """
    if facts.get("loading") == "1":
        raise EngineAway("This Redis still reads its file.", "Try again in a moment.")
    version = facts.get("redis_version")
    if not version.split(".")[0].isdecimal() or int(version.split(".")[0]) < 7:
        raise LanchatError(f"This Redis is {version or 'of an unknown version'}.", _NEEDS)
    if "cluster" in (facts.get("redis_mode"), facts.get("server_mode")):  # as Redis and as Valkey 8 calls it
        raise LanchatError("This Redis is a cluster, which lanchat does not support.", "Use a single server.")
    if facts.get("role") != "master":
        of = f"{facts.get('master_host')}:{facts.get('master_port')}"
        raise LanchatError(f"This Redis is a replica of {of}.", "Use that one.")
    if facts.get("aof_enabled") != "1":
        raise LanchatError("This Redis keeps its data in memory only (appendonly no).", _DURABLE)
    if facts.appendfsync is None and not trusted:
        raise LanchatError("This Redis does not tell how it writes.", _TRUST)
    if facts.appendfsync not in ("always", None):
        mode = safe_text(facts.appendfsync)[:_SHOWN]
        raise LanchatError(f"This Redis may lose the last second (appendfsync {mode}).", _ALWAYS)
    if facts.get("maxmemory_policy") not in ("noeviction", ""):
        policy = facts.get("maxmemory_policy")
        raise LanchatError(f"This Redis throws data away when memory is full ({policy}).", _POLICY)
    if facts.get("aof_last_write_status") not in ("ok", ""):
        raise LanchatError("This Redis cannot write its file.", "Is its disk full?")
    if facts.default is not None and _limited(*facts.default):
        words = 'This Redis would lose the room at its next restart, because its user "default" is limited.'
        raise LanchatError(words, "Use requirepass instead of a change of that user.")


def lacks_rights(error: str) -> bool:
    """Whether a server says with this error of a function that its user may not do what the function does."""
    return "executing the script can't" in error or error.startswith("ACL failure in script")


def forbidden(user: str, error: str) -> LanchatError:
    """The error for a command that a user of the server may not use.

    Args:
        error: the words of the server, which may name the command.
    """
    command = error.partition(" run the '")[2].partition("'")[0]
    who = f"The Redis user {safe_text(user or 'default')[:_SHOWN]}"
    if not command:
        needs = "Its line in redis.conf needs: ~{lanchat:* " + " ".join(f"+{name}" for name in COMMANDS)
        return LanchatError(f"{who} may not do all that is needed.", needs)
    known = safe_text(command if command in COMMANDS else command.partition("|")[0])[:_SHOWN]
    return LanchatError(f"{who} may not use {known.upper()}.", f"Its line in redis.conf needs: +{known}")


def _limited(flags: str, commands: str, keys: str) -> bool:
    return "on" not in flags.split() or commands.split() != ["+@all"] or "~*" not in keys.split()


_NEEDS = "lanchat needs Redis 7.0 or Valkey 7.2, which have functions."
_ALWAYS = 'Set "appendfsync always" in redis.conf and restart it.'
_DURABLE = (
    'Set "appendonly yes" and "appendfsync always" in redis.conf and restart it. If it has data already, first: '
    "redis-cli CONFIG SET appendonly yes, and wait for aof_rewrite_in_progress:0 in redis-cli INFO persistence"
)
_TRUST = 'If its operator confirms "appendfsync always": --engine-is-durable'
_POLICY = 'Set "maxmemory-policy noeviction" in redis.conf and restart it.'
