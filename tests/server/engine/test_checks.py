"""Which servers may keep a room, without one."""

import pytest

from lanchat.errors import LanchatError
from lanchat.server.engine.checks import ServerFacts, check_server, forbidden, lacks_rights
from lanchat.server.engine.shared_log import EngineAway
from tests.support.cases import cases

GOOD = {
    "redis_version": "7.0.15",
    "role": "master",
    "redis_mode": "standalone",
    "aof_enabled": "1",
    "maxmemory_policy": "noeviction",
    "aof_last_write_status": "ok",
}
ALL = ("on nopass", "+@all", "~*")


def test_a_server_that_writes_at_once_is_taken():
    check_server(ServerFacts(GOOD, "always", ALL))
    check_server(ServerFacts(GOOD, "always", None))
    check_server(ServerFacts(GOOD, None, None), trusted=True)


@cases(
    "change, words",
    [
        ({"redis_version": "6.0.16"}, "This Redis is 6.0.16."),
        ({"redis_version": ""}, "This Redis is of an unknown version."),
        ({"redis_version": "\x1b[31mx"}, "This Redis is"),
        ({"redis_mode": "cluster"}, "is a cluster"),
        ({"redis_mode": "", "server_mode": "cluster"}, "is a cluster"),
        ({"role": "slave", "master_host": "192.168.1.4", "master_port": "6379"}, "a replica of 192.168.1.4:6379."),
        ({"aof_enabled": "0"}, "in memory only"),
        ({"maxmemory_policy": "allkeys-lru"}, "throws data away when memory is full (allkeys-lru)"),
        ({"aof_last_write_status": "err"}, "cannot write its file"),
    ],
)
def test_a_server_that_may_lose_something_is_refused(change, words):
    with pytest.raises(LanchatError) as error:
        check_server(ServerFacts({**GOOD, **change}, "always", ALL), trusted=True)
    assert words in str(error.value) and error.value.hint
    assert "\x1b" not in str(error.value)


def test_a_server_that_still_reads_its_file_is_asked_again_later():
    """Meanwhile it says that it keeps its data in memory only."""
    with pytest.raises(EngineAway):
        check_server(ServerFacts({**GOOD, "loading": "1", "aof_enabled": "0"}, "always", ALL))


@cases("mode, words", [("everysec", "last second (appendfsync everysec)"), ("no", "(appendfsync no)"), (None, "tell")])
def test_a_server_that_writes_later_is_refused(mode, words):
    with pytest.raises(LanchatError) as error:
        check_server(ServerFacts(GOOD, mode, ALL))
    assert words in str(error.value)


@cases(
    "rights",
    [("off", "+@all", "~*"), ("on", "-@all", "~*"), ("on", "+@all", ""), ("on", "+get +set", "~*"), ("", "", "")],
)
def test_a_limited_default_user_loses_blocks_of_writes(rights):
    with pytest.raises(LanchatError, match='"default" is limited'):
        check_server(ServerFacts(GOOD, "always", rights))


@cases(
    "said, what, hint",
    [
        (
            "this user has no permissions to run the 'xadd' command",
            "The Redis user lanchat may not use XADD.",
            "Its line in redis.conf needs: +xadd",
        ),
        (
            "ACL failure in script: User lanchat has no permissions to run the 'hget' command script: lanchat1_beat",
            "The Redis user lanchat may not use HGET.",
            "Its line in redis.conf needs: +hget",
        ),
        (
            "ACL failure in script: No permissions to access a key script: lanchat1_beat",
            "The Redis user lanchat may not do all that is needed.",
            "Its line in redis.conf needs: ~{lanchat:* +fcall",
        ),
    ],
)
def test_a_forbidden_command_is_named(said, what, hint):
    error = forbidden("lanchat", said)
    assert str(error) == what
    assert error.hint.startswith(hint)


@cases(
    "said, lacking",
    [
        ("The user executing the script can't run this command or subcommand script: lanchat1_beat", True),
        ("The user executing the script can't access at least one of the keys mentioned in the command", True),
        ("ACL failure in script: No permissions to access a key script: lanchat1_beat", True),
        ("STALE the rules have changed", False),
    ],
)
def test_a_right_that_a_function_lacks_is_told_from_other_errors(said, lacking):
    assert lacks_rights(said) == lacking
