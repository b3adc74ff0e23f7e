"""Paths as they are typed."""

import os
from pathlib import Path

import pytest

from lanchat.storage.home import shown_path
from lanchat.terminal.chat.paths import complete_path, complete_recipient, path_and_nick, typed_path


def test_a_typed_path_may_stand_in_quotes(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [str(typed_path(text)) for text in ('"my file"', "'my file'", "my file", "my\\ file")] == ["my file"] * 4
    assert typed_path("~/a") == tmp_path / "a"
    assert shown_path(tmp_path / "a") == "~/a"
    assert shown_path(tmp_path.parent) == str(tmp_path.parent)


def test_paths_are_completed(tmp_path):
    for name in ("report.pdf", "rest", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "reports").mkdir()
    found = complete_path(f"{tmp_path}{os.sep}rep")
    assert [(completion.text, completion.replaces) for completion in found] == [("report.pdf", 3), ("reports/", 3)]
    assert [completion.text for completion in complete_path(f'"{tmp_path}/.h')] == [".hidden"]
    assert complete_path("/no/such/folder/x") == []


@pytest.mark.parametrize(
    ("typed", "path", "nick"),
    [
        ("report.pdf", "report.pdf", ""),
        ("report.pdf bob", "report.pdf", "bob"),
        ("my report.pdf", "my report.pdf", ""),
        ("my report.pdf bob", "my report.pdf", "bob"),
        ('"my report.pdf" bob', "my report.pdf", "bob"),
        ("'my report.pdf'", "my report.pdf", ""),
        ("my\\ report.pdf bob", "my report.pdf", "bob"),
        ("missing.pdf bob", "missing.pdf bob", ""),
    ],
)
def test_what_is_typed_is_a_path_and_perhaps_a_nick(tmp_path, monkeypatch, typed, path, nick):
    monkeypatch.chdir(tmp_path)
    for name in ("report.pdf", "my report.pdf"):
        (tmp_path / name).touch()
    assert path_and_nick(typed) == (Path(path), nick)


def test_a_name_that_no_system_takes_is_that_of_no_file():
    name = "x" * 300
    assert path_and_nick(f"{name} bob") == (Path(f"{name} bob"), "")
    assert str(typed_path(f"{name}\\ y")) == f"{name} y"
    assert complete_recipient(f"{name} b", ["bob"]) == []


@pytest.mark.parametrize("typed", ["a\0/b", "~a\0/b"])
def test_a_pasted_nul_is_in_no_name(typed):
    """Tab behind such a path ended the chat."""
    assert complete_path(typed) == []
    assert typed_path(typed) == Path(typed)


def test_a_path_that_may_be_two_is_sent_to_nobody(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("report", "report bob"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match="Put the path that you mean in quotes"):
        path_and_nick("report bob")
    assert path_and_nick('"report bob"') == (Path("report bob"), "")
    assert path_and_nick('"report" bob') == (Path("report"), "bob")
