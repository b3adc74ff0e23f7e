"""An engine for the tests of hosts on one."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lanchat.server.engine.redis_log import RedisLog
from tests.support.engines import SAFE, RedisProcess


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A server that writes at once. All tests of a process share it, so none may stop or change it."""
    with RedisProcess(tmp_path_factory.mktemp("redis"), *SAFE) as server:
        yield server


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Callable[..., RedisProcess]]:
    """`own_redis(...)`: a server for one test, which may restart it; with these options instead of safe ones."""
    servers: list[RedisProcess] = []

    def start(*options: str) -> RedisProcess:
        servers.append(RedisProcess(tmp_path / f"redis{len(servers)}", *(options or SAFE)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def shared(redis: RedisProcess) -> Iterator[Callable[..., RedisLog]]:
    """`shared("ann")`: the log of one new room at the server of all tests, for ann's computer."""
    room = secrets.token_hex(16)
    logs: list[RedisLog] = []

    def open_log(host: str = "ann", *, owner: str = "ann", room: str = room, **options: Any) -> RedisLog:
        server = options.pop("server", redis)
        logs.append(RedisLog(options.pop("address", server.address), room, host, owner, **options))
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()
