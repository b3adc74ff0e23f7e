"""Where an engine is: redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]. Pure."""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

PORT = 6379
_FORM = "An engine is redis://HOST, redis://HOST:PORT/DATABASE, or rediss:// with TLS"


@dataclass(frozen=True)
class EngineAddress:
    """The server and the database of an engine, and who logs in there."""

    host: str
    port: int = PORT
    database: int = 0
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def place(self) -> str:
        """HOST:PORT, for a person."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def without_password(self) -> str:
        """As a person types it, with the word PASSWORD where there is one."""
        user = f"{quote(self.user, safe='')}:PASSWORD@" if self.password else f"{quote(self.user, safe='')}@"
        at = self.place.removesuffix(f":{PORT}")
        return f"redis{'s' * self.tls}://{user if self.user or self.password else ''}{at}/{self.database}"


@dataclass(frozen=True)
class EngineChoice:
    """What a person wants of an engine.

    Args:
        is_durable: its operator has confirmed that it writes at once, where it does not tell itself.
        restore: the room begins again there, with all that this computer has of it.
        cohosts: the member ids of computers that may host the room as well, once they ask.
        has_screen: whether the person may type a command.
    """

    address: EngineAddress
    is_durable: bool = False
    restore: bool = False
    cohosts: tuple[str, ...] = ()
    has_screen: bool = True


def parse_engine(text: str) -> EngineAddress:
    """Parse the address of an engine, as a person types it.

    Raises:
        ValueError: that is no address of an engine. The sentence repeats nothing of it, since it may hold a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port or PORT
    except ValueError:
        raise ValueError(f"{_FORM}.") from None
    database = parts.path.strip("/") or "0"
    known = parts.scheme in ("redis", "rediss") and parts.hostname and not parts.query and not parts.fragment
    if not known or not (database.isascii() and database.isdecimal() and len(database) < 5):
        raise ValueError(f"{_FORM}.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return EngineAddress(str(parts.hostname), port, int(database), parts.scheme == "rediss", user, password)
