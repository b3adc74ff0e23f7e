"""The connection to a Redis or Valkey server.

This is the only module that imports redis-py, and nothing imports it unless a room is hosted on such a server.

redis-py repeats a command by itself, and connects again by itself. Both would hide a restart of the server, after which
nothing may be appended before its file is rewritten: so every connection is made here, once, and what fails is dropped.
"""

import time
from collections.abc import Iterable
from importlib.resources import files

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lanchat.errors import LanchatError
from lanchat.protocol.text import in_brief, safe_text
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import PORT, EngineAddress
from lanchat.server.engine.checks import ServerFacts, check_server, forbidden, lacks_rights
from lanchat.server.engine.shared_log import EngineAway
from lanchat.threads import Closable

_POLL = 0.02  # s between two looks at a rewrite, which takes 0.1 s for a small file
_FULL = (redis.exceptions.OutOfMemoryError, redis.exceptions.ReadOnlyError)
_WITH_PASSWORD = "redis://USER:PASSWORD@HOST/0, or redis://:PASSWORD@HOST/0 where no user has a name"
_AWAY = (redis.ConnectionError, redis.TimeoutError, OSError)


class ServerRefused(LanchatError):
    """The server answered with an error.

    Args:
        words: all of it, as it came.
    """

    def __init__(self, what: str, words: str) -> None:
        super().__init__(what)
        self.words = words


class RedisServer(Closable):
    """One connection at a time, made when it is needed. Owned by one thread at a time.

    Args:
        run_key: the hash with the start of the server that its file was rewritten for; None: it is only read from.
        trusted: the server's operator has confirmed that it writes at once.
    """

    def __init__(self, address: EngineAddress, run_key: str | None, timing: Timing, *, trusted: bool = False) -> None:
        self.name = f"Redis at {safe_text(address.place)}"
        self._address, self._run_key, self._timing, self._trusted = address, run_key, timing, trusted
        self._client: redis.Redis | None = None

    def run(self, *command: str | bytes | int) -> object:
        """Run a command.

        Raises:
            EngineAway: the server does not answer; the next call connects again.
            ServerRefused: it answered with an error.
            LanchatError: it may not be used.
        """
        try:
            if self._client is None:
                self._client = self._connect()
                self._prepare(self._client)
            return _execute(self._client, *command)
        except redis.AuthenticationError as error:
            self.close()
            raise self._unknown(error) from None
        except redis.exceptions.NoPermissionError as error:
            raise self._forbidden(error) from None
        except _AWAY as error:
            self.close()
            host, port = safe_text(self._address.host), self._address.port
            asking = f"redis-cli -h {host}" + (f" -p {port}" if port != PORT else "")
            raise EngineAway(
                f"Cannot reach {self.name} ({_why(error)}).", f"Is it running? To see that: {asking} ping"
            ) from None
        except redis.ResponseError as error:
            if isinstance(error, _FULL) or str(error).startswith("MISCONF"):
                self.close()  # the next connection looks what has become of it
                raise EngineAway(f"{self.name} takes nothing now ({in_brief(error)}).") from None
            if lacks_rights(str(error)):
                raise self._forbidden(error) from None
            raise ServerRefused(f"{self.name} refuses: {in_brief(error)}.", str(error)) from None
        except redis.RedisError as error:  # what it answers is not the protocol
            self.close()
            raise LanchatError(
                f"What answers at {safe_text(self._address.place)} is no Redis ({in_brief(error)})."
            ) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self) -> redis.Redis:
        at, timeout = self._address, self._timing.engine
        client = redis.Redis(
            at.host,
            at.port,
            at.database,
            username=at.user or None,
            password=at.password or None,
            ssl=at.tls,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,  # a pool would connect again by itself
            protocol=2,
        )
        client.response_callbacks.clear()  # they give other forms in other versions of redis-py
        return client

    def _prepare(self, client: redis.Redis) -> None:
        """Check the server, have its file rewritten if it was started again, and give it the functions.

        If the power fails in the middle of a block of writes, the server cuts off only its end at the next start. What
        is written then lands inside the block, and the start after that loses it. A rewritten file has no such block.
        """
        if self._run_key is None:
            _execute(client, "PING")
            return
        facts = ServerFacts(_info(client), *_settings(client))
        check_server(facts, trusted=self._trusted)
        if _execute(client, "HGET", self._run_key, "run") != facts.run_id.encode():
            self._rewrite(client)
            _execute(client, "HSET", self._run_key, "run", facts.run_id)
        library = files("lanchat.server.engine").joinpath("functions.lua").read_text(encoding="utf-8")
        _execute(client, "FUNCTION", "LOAD", "REPLACE", library)

    def _rewrite(self, client: redis.Redis) -> None:
        until = time.monotonic() + self._timing.engine_rewrite
        try:
            _execute(client, "BGREWRITEAOF")
        except redis.exceptions.NoPermissionError:
            raise
        except redis.ResponseError as error:
            if "in progress" not in str(error):  # one that runs by now has begun after the start, and is as good
                raise
        while True:
            info = _info(client)
            if info.get("aof_rewrite_in_progress") == info.get("aof_rewrite_scheduled") == "0":
                break
            if time.monotonic() > until:
                raise EngineAway(f"{self.name} is still rewriting its file.")
            time.sleep(_POLL)
        if info.get("aof_last_bgrewrite_status") != "ok":
            words = "Its log says why; often memory is short for a fork."
            raise LanchatError("This Redis cannot rewrite its file after its restart.", words)

    def _unknown(self, error: Exception) -> LanchatError:
        if not self._address.password:
            return LanchatError(f"{self.name} wants a password.", f"It belongs in LANCHAT_ENGINE: {_WITH_PASSWORD}")
        what = f"{self.name} does not accept this {'user or ' if self._address.user else ''}password"
        return LanchatError(f"{what} ({in_brief(error)}).", f"It belongs in LANCHAT_ENGINE: {_WITH_PASSWORD}")

    def _forbidden(self, error: Exception) -> LanchatError:
        return forbidden(self._address.user, str(error))


def _execute(client: redis.Redis, *command: str | bytes | int) -> object:
    """Run a command. `client.execute_command` takes 0.15 ms longer, in which 20 events could be appended."""
    connection = client.connection
    if connection is None:
        raise redis.ConnectionError("It was closed.")
    words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
    packed = b"".join([b"*%d\r\n" % len(words), *[b"$%d\r\n%b\r\n" % (len(word), word) for word in words]])
    connection.send_packed_command([packed])  # type: ignore[no-untyped-call]
    found: object = connection.read_response()
    return found


def _info(client: redis.Redis) -> dict[str, str]:
    found = _execute(client, "INFO")
    lines = found.decode(errors="replace").splitlines() if isinstance(found, bytes) else []
    return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}


def _settings(client: redis.Redis) -> tuple[str | None, tuple[str, str, str] | None]:
    """appendfsync, and the rights of the user "default"; None: the server does not tell."""
    mode = _pairs(client, "CONFIG", "GET", "appendfsync").get("appendfsync")
    rights = _pairs(client, "ACL", "GETUSER", "default")
    if not rights:
        return mode, None
    return mode, (rights.get("flags", ""), rights.get("commands", ""), rights.get("keys", ""))


def _pairs(client: redis.Redis, *command: str) -> dict[str, str]:
    """A reply that is a list of names and values; nothing: the server does not tell."""
    try:
        found = _execute(client, *command)
    except redis.ResponseError:
        return {}
    if not isinstance(found, list):
        return {}
    texts = [" ".join(_parts(value)) for value in found]
    return dict(zip(texts[::2], texts[1::2], strict=False))


def _parts(value: object) -> Iterable[str]:
    match value:
        case bytes():
            return value.decode(errors="replace").split()
        case list():
            return [part for one in value for part in _parts(one)]
    return ()


def _why(error: BaseException) -> str:
    """Why a connection failed, in the words of the system where it has some."""
    if isinstance(error, redis.TimeoutError):
        return "no answer"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return in_brief(error)
