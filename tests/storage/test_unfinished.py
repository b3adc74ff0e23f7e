"""Files that were being sent when a program ended."""

from pathlib import Path

from lanchat.storage.unfinished import MOST, remember, take_over


def test_what_one_run_leaves_the_next_one_takes_over(tmp_path):
    first = remember(tmp_path, "1", Path("/a b/ü.pdf"))
    assert first is not None
    assert take_over(tmp_path) == []  # it is still being sent
    first.finish(keep=True)
    [found] = take_over(tmp_path)
    assert (found.id, found.path) == ("1", Path("/a b/ü.pdf"))
    found.finish(keep=False)
    assert take_over(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_thrown_away(tmp_path):
    for name, text in (("sending-1", "{"), ("sending-2", '{"id": "3", "path": "/a"}'), ("sending-4", '["id"]')):
        (tmp_path / name).write_text(text)
    assert take_over(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_only_so_many_are_remembered(tmp_path):
    kept = [remember(tmp_path, str(number), Path("/a")) for number in range(MOST + 1)]
    assert kept[-1] is None and None not in kept[:-1]
    for unfinished in filter(None, kept):
        unfinished.finish(keep=False)
    assert remember(tmp_path / "missing", "1", Path("/a")) is None
