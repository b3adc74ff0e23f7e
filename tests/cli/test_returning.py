"""What the options of `lanchat host` mean for a room that comes to this computer only later."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

from lanchat.cli.host import HostOptions
from lanchat.cli.returning import wishes_of


def chosen(**given: Any) -> HostOptions:
    """Options of which only these were given."""
    none: dict[str, Any] = {"web_name": (), "no_announce": False}
    values: dict[str, Any] = {field.name: given.get(field.name, none.get(field.name)) for field in fields(HostOptions)}
    return HostOptions(**values)


def test_who_names_nothing_asks_for_nothing():
    wishes = wishes_of(chosen())
    assert (wishes.keep, wishes.files, wishes.people, wishes.announce) == (None, None, None, True)
    assert not wishes.ports and not wishes.doors["web"] and wishes.doors["port"] is None


def test_what_is_named_is_asked_for(tmp_path: Path):
    (tmp_path / "password").write_text("only for clients of IRC\n")
    wishes = wishes_of(
        chosen(
            port=5000,
            plain_port=8888,
            irc_tls_port=6697,
            irc_password_file=str(tmp_path / "password"),
            web=-1,
            web_name=("ann.example",),
            keep="30d",
            files="1G",
            people=300,
            no_announce=True,
        )
    )
    assert (wishes.keep, wishes.files, wishes.people, wishes.announce) == ("30d", 1 << 30, 300, False)
    assert (wishes.ports.plain, wishes.ports.irc, wishes.ports.irc_tls) == (8888, None, 6697)
    assert wishes.irc_password == "only for clients of IRC" and wishes.web_names == ("ann.example",)
    assert wishes.doors["port"] == 5000 and wishes.doors["web"] and wishes.doors["web_port"] is None


@pytest.mark.parametrize("wrong", [{"keep": "soon"}, {"files": "much"}, {"irc_password_file": "nowhere"}])
def test_a_wrong_option_is_said_before_anybody_joins(wrong: dict[str, str]):
    with pytest.raises(click.UsageError):
        wishes_of(chosen(**wrong))
