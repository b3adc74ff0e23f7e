"""`lanchat host --engine`: a room whose messages a Redis server numbers and keeps."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from lanchat.cli.host import host
from tests.support.engines import SAFE, RedisProcess

SECRET = "opensesame"


def test_a_password_on_the_command_line_is_refused_and_not_repeated(lanchat):
    refused = lanchat.run("host", "Room A", "--nick", "hal", "--engine", f"redis://lanchat:{SECRET}@127.0.0.1:1")
    assert refused.code == 2
    assert "can be read by other users of this computer. Set LANCHAT_ENGINE instead" in refused.err
    assert SECRET not in refused.err


def test_an_engine_that_is_not_there_is_named_without_its_password(lanchat):
    secret = f"redis://lanchat:{SECRET}@127.0.0.1:1"
    ended = lanchat.run("host", "Room A", "--nick", "hal", "--port", "0", LANCHAT_ENGINE=secret)
    assert ended.code == 1
    assert "Cannot reach Redis at 127.0.0.1:1 (connection refused)." in ended.err
    assert SECRET not in ended.err


def test_options_that_do_not_fit_are_refused(lanchat):
    alone = lanchat.run("host", "Room A", "--nick", "hal", "--restore")
    assert (alone.code, "belong to --engine" in alone.err) == (2, True)
    named = lanchat.run("host", "Room A", "--nick", "hal", "--engine", "redis://box", "--cohost", "7f3a-91c2")
    assert (named.code, '"7f3a-91c2" is not a fingerprint, as `lanchat id` shows it' in named.err) == (2, True)
    nothing = lanchat.run("host", "Room A", "--nick", "hal", "--engine", "redis://box", "--ephemeral")
    assert (nothing.code, "stores nothing of it" in nothing.err) == (2, True)


def test_a_variable_that_stays_set_restores_nothing(monkeypatch):
    monkeypatch.setenv("LANCHAT_RESTORE", "1")
    assert host.make_context("host", ["Room A"]).params["restore"] is False


@pytest.mark.full
def test_nobody_else_loads_redis_py():
    program = "import sys, lanchat.cli.host, lanchat.api.hosted, lanchat.server.host\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith(("redis", "hiredis", "lanchat.server.engine"))] == []


@pytest.mark.full
def test_host_and_engine_are_killed_and_nothing_is_lost_or_comes_twice(lanchat, tmp_path):
    with RedisProcess(tmp_path / "redis", *SAFE) as server:
        room = lanchat.host("Room A", "--engine", server.url)
        port = room.port
        ann = lanchat.start("join", f"127.0.0.1:{port}", "--nick", "ann", "--quiet", stdin="pipe")
        ann.say("hello\n")
        room.wait_out("hello")  # so ann knows that she is in: who is not lets a lost link be the end
        said = []
        for victims in ("host", "engine", "host and engine"):
            for n in range(10):
                said.append(f"{victims} {n}")
                ann.say(f"{said[-1]}\n")
            if "host" in victims:
                room.close()  # kill -9
            if "engine" in victims:
                server.restart()
            if "host" in victims:
                room = lanchat.host("Room A", "--engine", server.url, "--port", str(port))
        ann.say("the end\n")
        room.wait_out("the end")
        ann.end_input()
        assert ann.wait().code == 0
        room.stop()
    history = lanchat.run("history", "Room A", "--json", who="hal")
    texts = Counter(json.loads(line).get("text") for line in history.lines)
    assert {text: texts[text] for text in said} == dict.fromkeys(said, 1)
