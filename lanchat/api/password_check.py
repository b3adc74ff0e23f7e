"""Whether a password is that of a room on an engine, as a host of it says."""

from collections.abc import Iterable
from functools import partial

from lanchat.client.connect import Connection, Credentials, connect
from lanchat.errors import HostKeyChanged, LanchatError, Refused
from lanchat.network.connect import dial
from lanchat.network.flusher import Flusher
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Bye, Card
from lanchat.protocol.places import Place
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.storage.identity import Identity
from lanchat.threads import Closable


class PasswordCheck(Closable):
    """A session of ours at a host that has let us in by the password, until `close`.

    It lasts until our own host has let us in as well: so nobody reads that we leave in between.

    Args:
        room: the id of the room.
        hosts: those that the owner has named.

    Raises:
        Refused: the password is wrong, code "password".
    """

    def __init__(
        self,
        room: str,
        title: str,
        hosts: Iterable[Place],
        identity: Identity,
        nick: str,
        password: str,
        timing: Timing,
    ) -> None:
        self._flusher = Flusher("password-flusher", timing)
        self._connection: Connection | None = None
        try:
            for place in hosts:
                who = Credentials(identity, nick, partial(_is_host, room, place.key), password)
                there = partial(dial, place.endpoints, timing=timing)
                try:
                    self._connection = connect(there, client_context(), self._flusher, who, lambda link: None)
                    return
                except Refused as refused:
                    if refused.code == "password":
                        what = f'That is not the password of the room "{safe_text(title)}".'
                        raise Refused(what, "Ask its owner.", code="password") from None
                except LanchatError:
                    pass  # another one may answer
        except BaseException:
            self.close()
            raise

    @property
    def is_right(self) -> bool:
        """Whether a host has said that it is right; else none has answered."""
        return self._connection is not None

    def close(self) -> None:
        """May be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.link.finish(encode(Bye()))
            connection.link.close()
        self._flusher.close()


def _is_host(room: str, key: bytes, card: Card, shown: bytes) -> None:
    """Refuse a computer that is not the one which was called: no other gets to know anything about the password."""
    if (card.room, shown) != (room, key):
        raise HostKeyChanged("Another computer answers there.")
