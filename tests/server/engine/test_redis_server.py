"""A host refuses every server that may lose what it is given, and says so in words."""

import socket
import threading

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import EngineAddress
from lanchat.server.engine.checks import COMMANDS
from lanchat.server.engine.shared_log import EngineAway, Position, Proposal
from tests.support.waiting import PATIENCE


def refusal(log):
    with pytest.raises(LanchatError) as error:
        log.enter(0, known=False)
    return f"{error.value} {error.value.hint}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--appendonly", "no"), 'in memory only (appendonly no). Set "appendonly yes" and "appendfsync always"'),
        (("--appendonly", "yes"), "may lose the last second (appendfsync everysec). Set"),
        (("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "allkeys-lru"), "(allkeys-lru)"),
        (("--appendonly", "yes", "--appendfsync", "always", "--cluster-enabled", "yes"), "is a cluster"),
        (("--appendonly", "yes", "--appendfsync", "always", "--replicaof", "127.0.0.1 9"), "a replica of 127.0.0.1:9"),
    ],
)
def test_a_server_that_may_lose_something_is_refused(shared, own_redis, options, words):
    assert words in refusal(shared(server=own_redis(*options)))


def test_a_server_whose_default_user_is_limited_is_refused(shared, own_redis):
    server = own_redis()
    rights = ("on", "nopass", "~*", "+@all", "-debug")
    assert server.command("ACL", "SETUSER", "default", *rights) == b"+OK\r\n"
    assert 'because its user "default" is limited. Use requirepass' in refusal(shared(server=server))


def test_a_user_of_its_own_needs_only_the_commands_that_are_named(shared, own_redis):
    server = own_redis()
    rights = ("on", ">secret", "~{lanchat:*", *(f"+{name}" for name in COMMANDS))
    assert server.command("ACL", "SETUSER", "lanchat", *rights) == b"+OK\r\n"
    address = EngineAddress("127.0.0.1", server.port, user="lanchat", password="secret")
    log = shared(address=address)
    log.enter(0, known=False)
    log.append([Proposal("e", "sann 1", b"hi"), Proposal("p", "pann 1", b"box")], 0)
    log.beat(0)
    assert len(log.read(Position(0), 10)) == len(log.read(Position(0), 10, wait=0.1)) == 2
    log.trim(1, ["ann 1"])
    server.command("ACL", "SETUSER", "lanchat", "-config|get")
    assert "does not tell how it writes. If its operator confirms" in refusal(shared(address=address))
    shared(address=address, trusted=True).enter(0, known=False)
    server.command("ACL", "SETUSER", "lanchat", "-bgrewriteaof", "-xread")
    log.close()
    with pytest.raises(LanchatError, match="The Redis user lanchat may not use XREAD") as error:
        log.read(Position(0), 10, wait=0.1)
    assert error.value.hint == "Its line in redis.conf needs: +xread"
    server.command("ACL", "SETUSER", "lanchat", "-hincrby", "+config|get", "+bgrewriteaof")
    words = refusal(shared(address=address))
    assert words.startswith(
        (
            "The Redis user lanchat may not do all that is needed. Its line in redis.conf needs: ~{lanchat:* ",
            "The Redis user lanchat may not use HINCRBY. Its line in redis.conf needs: +hincrby",  # of a later version
        )
    )
    server.restart()  # the user is gone with it
    log.close()
    with pytest.raises(LanchatError, match="does not accept this user or password") as error:
        log.append([Proposal("e", "sann 2", b"hi")], 0)
    assert "secret" not in f"{error.value} {error.value.hint}"


def test_a_server_that_wants_a_password_says_so(shared, own_redis):
    server = own_redis("--appendonly", "yes", "--appendfsync", "always", "--requirepass", "other")
    words = refusal(shared(address=EngineAddress("127.0.0.1", server.port)))
    assert (
        "wants a password. It belongs in LANCHAT_ENGINE: redis://USER:PASSWORD@HOST/0, or redis://:PASSWORD@" in words
    )
    words = refusal(shared(address=EngineAddress("127.0.0.1", server.port, password="wrong")))
    assert "does not accept this password (" in words


def test_nobody_at_the_address(shared):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = refusal(shared(address=EngineAddress("127.0.0.1", port)))
    assert words == (
        f"Cannot reach Redis at 127.0.0.1:{port} (connection refused). "
        f"Is it running? To see that: redis-cli -h 127.0.0.1 -p {port} ping"
    )


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*-5\r\n", b"$99999999999\r\n", b"+OK\r\n"])
def test_another_program_at_the_address_ends_nothing_but_the_try(shared, answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock:
                    sock.recv(100)
                    sock.sendall(answer * 20)

        thread = threading.Thread(target=serve)
        thread.start()
        log = shared(address=EngineAddress("127.0.0.1", listener.getsockname()[1]), timing=Timing(engine=PATIENCE))
        try:
            with pytest.raises(LanchatError):
                log.enter(0, known=False)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_server_that_never_answers_is_away(shared):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = EngineAddress("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(EngineAway, match=r"^Cannot reach Redis at 127.0.0.1:\d+ \(no answer\)\.$"):
            shared(address=address, timing=Timing(engine=0.1)).enter(0, known=False)
