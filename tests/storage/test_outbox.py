"""Unsent messages outlive the program."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import LanchatError
from lanchat.protocol.drafts import PrivateDraft
from lanchat.protocol.messages import Say
from lanchat.storage import outbox as outbox_module
from lanchat.storage.files import lock_file
from lanchat.storage.outbox import Outbox, _parsed

TOP = Path(__file__).parents[2]
FLOOD = """
import os, sys
from pathlib import Path
from lanchat.protocol.messages import Say
from lanchat.storage.outbox import Outbox
box = Outbox(Path(sys.argv[1]))
for number in range(1_000_000):
    box.add(Say(f"id-{number}", f"text {number}"))
    os.write(1, b"+%d\\n" % number)
    if number >= 5:
        os.write(1, b"-%d\\n" % (number - 5))
        box.remove([f"id-{number - 5}"])
"""


PSST = PrivateDraft("2", "id-bob", "bob", "psst", b"k" * 32)


def test_a_private_message_keeps_its_text_and_its_key(tmp_path):
    box = Outbox(tmp_path)
    box.add(PrivateDraft("2", "", "bob", "psst"))
    box.add(PSST)
    box.close()
    again = Outbox(tmp_path)
    assert again.unsent == (PSST,)
    again.close()


def test_a_private_message_of_a_version_that_did_not_seal_is_still_there(tmp_path):
    (tmp_path / "outbox-1").write_bytes(b'+{"t":"tell","id":"2","to":"id-bob","nick":"bob","text":"psst"}\n')
    box = Outbox(tmp_path)
    assert box.unsent == (PrivateDraft("2", "id-bob", "bob", "psst"),)
    box.close()


def left(folder: Path) -> list[str]:
    """The ids of the messages that a new process finds and leaves where they are."""
    box = Outbox(folder)
    ids = [message.id for message in box.unsent]
    box.close()
    return ids


@pytest.mark.parametrize("taken", ["held", "removed"])
def test_a_file_that_another_process_takes_over_before_it_is_locked_is_left_to_it(tmp_path, monkeypatch, taken):
    """Two processes start at the same moment, and one finds the other's new file before it is locked."""
    true, paths = lock_file, []

    def late(path, *flags):
        paths.append(path)
        if len(paths) > 1:
            return true(path, *flags)
        if taken == "held":
            return None
        lock = true(path, *flags)
        path.unlink()
        return lock

    monkeypatch.setattr(outbox_module, "lock_file", late)
    box = Outbox(tmp_path)
    box.add(Say("1", "text"))
    assert [path for path in tmp_path.glob("outbox-*")] == [paths[1]]
    assert b"text" in paths[1].read_bytes()
    box.close()


def test_messages_that_were_not_acknowledged_are_there_after_a_restart(tmp_path):
    box = Outbox(tmp_path)
    for number in range(5):
        box.add(Say(str(number), f"text\n{number}", number == 3))
    box.remove(["1", "4", "nobody's"])
    box.close()
    box.close()
    again = Outbox(tmp_path)
    assert again.unsent == (Say("0", "text\n0"), Say("2", "text\n2"), Say("3", "text\n3", True))
    again.close()
    assert left(tmp_path) == ["0", "2", "3"]


def test_acknowledged_messages_leave_no_file(tmp_path):
    box = Outbox(tmp_path)
    box.add(Say("1", "hi"))
    box.remove(["1"])
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [0]
    box.add(Say("2", "hi"))
    box.remove(["2"])
    box.close()
    assert list(tmp_path.iterdir()) == []


def test_a_running_process_keeps_its_messages(tmp_path):
    first, second = Outbox(tmp_path), Outbox(tmp_path)
    first.add(Say("1", "of the first"))
    second.add(Say("2", "of the second"))
    assert left(tmp_path) == []
    first.close()
    third = Outbox(tmp_path)
    assert [message.id for message in third.unsent] == ["1"]
    second.close()
    third.close()
    assert left(tmp_path) == ["1", "2"] or left(tmp_path) == ["2", "1"]


def test_messages_of_ended_processes_are_taken_over_and_can_be_acknowledged(tmp_path):
    for id in "12":
        box = Outbox(tmp_path)
        box.add(Say(id, "hi"))
        box.close()
    successor = Outbox(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    successor.remove(["1"])
    successor.close()
    assert left(tmp_path) == ["2"]


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.full)])
def test_kill_9_loses_no_message(tmp_path, rounds):
    for _ in range(rounds):
        with subprocess.Popen([sys.executable, "-c", FLOOD, str(tmp_path)], stdout=subprocess.PIPE, cwd=TOP) as flood:
            assert flood.stdout is not None
            lines = [flood.stdout.readline() for _ in range(500)]
            os.kill(flood.pid, signal.SIGKILL)
            lines += flood.stdout.read().splitlines(keepends=True)
        whole = [line.decode().strip() for line in lines if line.endswith(b"\n")]
        added = {int(line[1:]) for line in whole if line.startswith("+")}
        done = {int(line[1:]) for line in whole if line.startswith("-")}
        box = Outbox(tmp_path)
        found = {int(message.id.removeprefix("id-")): message.text for message in box.unsent}
        assert added - done <= found.keys()  # the last "-" may not have got as far as the file, the last "+" further
        assert len(found) <= 7 and all(text == f"text {number}" for number, text in found.items())
        box.remove([message.id for message in box.unsent])
        box.close()
    assert list(tmp_path.iterdir()) == []


def test_one_message_too_many_is_refused_and_not_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(outbox_module, "MAX_UNSENT", 3)
    box = Outbox(tmp_path)
    for id in "123":
        box.add(Say(id, "hi"))
    with pytest.raises(LanchatError, match="3 messages are waiting"):
        box.add(Say("4", "hi"))
    box.add(Say("3", "in other words"))
    box.remove(["1"])
    box.add(Say("5", "hi"))
    box.close()
    assert left(tmp_path) == ["2", "3", "5"]


def test_a_full_disk_spoils_no_other_message(tmp_path, monkeypatch, caplog):
    box = Outbox(tmp_path)
    box.add(Say("1", "hi"))
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    box.add(Say("2", "half of it fits"))
    monkeypatch.setattr(os, "write", real)
    box.add(Say("3", "hi"))
    assert [message.id for message in box.unsent] == ["1", "2", "3"] and "disk is full" in caplog.text
    box.close()
    assert left(tmp_path) == ["1", "3"]


@given(st.binary(max_size=200), st.integers(0, 60))
def test_a_damaged_file_is_read_as_far_as_it_goes(noise, cut):
    good = b'+{"t":"say","id":"1","text":"hi"}\n'
    messages, _ = _parsed(b"+" + noise.replace(b"\n", b"") + b"\n" + good + good[:cut].rstrip(b"\n"))
    assert "1" in messages
    assert isinstance(_parsed(noise)[0], dict)


def test_messages_that_cannot_be_read_are_put_aside_and_told(tmp_path):
    content = b'+{"t":"say","id":"1","text":"hi"}\n+{"t":"say","id":"2","te\0\0\n+{"t":"say","id":"3","text":"hi"}\n'
    (tmp_path / "outbox-of-yesterday").write_bytes(content)
    box = Outbox(tmp_path)
    assert [message.id for message in box.unsent] == ["1", "3"]
    aside = tmp_path / "damaged-outbox-of-yesterday"
    assert aside.read_bytes() == content and str(aside) in box.trouble
    box.close()
    assert left(tmp_path) == ["1", "3"] and aside.exists(), "nothing takes it for an outbox"


def test_it_is_known_when_an_earlier_run_has_left_something(tmp_path):
    first = Outbox(tmp_path)
    first.add(Say("1", "hello"))
    first.close()
    (left,) = tmp_path.glob("outbox-*")
    os.utime(left, (1000, 1000))
    again = Outbox(tmp_path)
    assert again.left_at == 1000
    again.close()
    (tmp_path / "other").mkdir()
    empty = Outbox(tmp_path / "other")
    assert empty.left_at == 0
    empty.close()
