"""`lanchat send --file` and `lanchat get`, from outside."""

import hashlib
import json
import os

import pytest


@pytest.fixture
def room(lanchat):
    return lanchat.host("Room A", "--files", "8M")


def test_a_script_sends_a_file_and_another_one_fetches_it(lanchat, room, tmp_path):
    source = tmp_path / "report.pdf"
    source.write_bytes(os.urandom(100_000))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    sent = lanchat.run("send", room.address, "--file", str(source), "--nick", "ann", "--json")
    assert sent.code == 0, sent.err
    stored = json.loads(sent.out)
    assert (stored["name"], stored["size"], stored["sha256"]) == ("report.pdf", 100_000, digest)
    room.wait_err("ann is sending report.pdf (98 KB)")
    got = lanchat.run("get", room.address, "report.pdf", "--dir", str(tmp_path / "in"), "--nick", "bob")
    assert (got.code, got.out) == (0, f"{tmp_path}/in/report.pdf\n")
    assert (tmp_path / "in" / "report.pdf").read_bytes() == source.read_bytes()
    again = lanchat.run("get", room.address, "--all", "--nick", "bob", LANCHAT_DOWNLOADS=str(tmp_path / "down"))
    assert (again.code, again.out) == (0, f"{tmp_path}/down/Room A/report.pdf\n")


def test_refusals_have_their_exit_codes(lanchat, room, tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(5 << 20))
    refused = lanchat.run("send", room.address, "--file", str(large), "--nick", "ann")
    assert refused.code == 4 and "5 MB, and this room takes files of up to 4 MB" in refused.err
    assert lanchat.run("get", room.address, "missing.pdf", "--nick", "bob").code == 4
    missing = lanchat.run("send", room.address, "--file", str(tmp_path / "missing"), "--nick", "ann")
    assert missing.code == 1 and "No such file" in missing.err
    assert lanchat.run("get", room.address, "--nick", "bob").code == 2


def test_a_room_may_take_no_files(lanchat, tmp_path):
    (tmp_path / "a").touch()
    room = lanchat.host("Room B", "--files", "0")
    refused = lanchat.run("send", room.address, "--file", str(tmp_path / "a"), "--nick", "ann")
    assert refused.code == 4 and "takes no files" in refused.err
    assert lanchat.run("host", "Room C", "--files", "many").code == 2


@pytest.mark.full
def test_a_script_sends_a_file_to_one_person_and_the_history_shows_it_to_the_two(lanchat, room, tmp_path):
    source = tmp_path / "salaries.pdf"
    source.write_bytes(os.urandom(100_000))
    for nick in ("bob", "eve"):
        assert lanchat.run("send", room.address, "hello", "--nick", nick).code == 0
    sent = lanchat.run("send", room.address, "--file", str(source), "--to", "bob", "--nick", "ann")
    assert (sent.code, sent.out) == (0, "") and "salaries.pdf is stored. Only bob can open it." in sent.err
    refused = lanchat.run("send", room.address, "--file", str(source), "--to", "zed", "--nick", "ann")
    assert refused.code == 4 and "No one called zed has been in this room." in refused.err
    assert lanchat.run("get", room.address, "salaries.pdf", "--nick", "eve").code == 4
    heard = lanchat.run("join", room.address, "--nick", "bob", "--linger", "1", "--json", input="hi\n")
    [told] = [json.loads(line) for line in heard.out.splitlines() if "file_private" in line]
    assert (told["name"], told["size"], told["state"], told["to_nick"]) == ("salaries.pdf", 100_000, "stored", "bob")
    assert "ann is sending salaries.pdf (98 KB) to you alone" in heard.err
    got = lanchat.run("get", room.address, "salaries.pdf", "--dir", str(tmp_path / "in"), "--nick", "bob")
    assert got.code == 0 and (tmp_path / "in" / "salaries.pdf").read_bytes() == source.read_bytes()
    lanchat.run("join", room.address, "--nick", "eve", input="bye\n")
    shown = {nick: lanchat.run("history", "Room A", who=nick).out for nick in ("bob", "eve")}
    assert "is sending salaries.pdf (98 KB) to bob alone" in shown["bob"] and "salaries" not in shown["eve"]
