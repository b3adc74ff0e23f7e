"""What keeps a room from an engine before any server is asked."""

import sys

import pytest

import lanchat
from lanchat.api.engine import load_redis, open_engine
from lanchat.errors import LanchatError
from lanchat.protocol.delegation import Standby
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import EngineAddress, EngineChoice
from lanchat.storage.delegations import Signing
from lanchat.storage.rooms import open_room


def test_without_redis_py_the_package_is_named_and_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "lanchat.server.engine.redis_server", None)
    with pytest.raises(LanchatError, match="needs the Python package redis") as error:
        load_redis()
    assert "redis[hiredis]" in error.value.hint


def test_an_ephemeral_room_has_no_engine():
    with pytest.raises(ValueError, match="stores nothing, so it has no engine"):
        lanchat.host("Room A", nick="ann", ephemeral=True, engine=EngineChoice(EngineAddress("127.0.0.1", 9)))


def test_a_room_that_standbys_may_host_is_put_on_no_engine(tmp_path, identity):
    """They would number its messages as well."""
    ann = identity("ann")
    with open_room(tmp_path, "Room A", now=1) as folder:
        signing = Signing(folder.path, folder.about.id, ann, password=False)
        signing.sign((Standby(1, identity("bob").public, bytes(8), "s"),))
        with pytest.raises(LanchatError, match='Other computers may host "Room A" as standbys') as error:
            open_engine(EngineChoice(EngineAddress("127.0.0.1", 9)), folder, ann, print, lambda: None, Timing())
        assert error.value.hint.endswith("/standbys off")
