"""The pages of `lanchat help`."""

import plistlib
import re
from configparser import RawConfigParser

import pytest

from lanchat.cli.help import pages
from lanchat.cli.main import all_commands
from lanchat.protocol.timing import DEFAULT_TIMING
from tests.support.cases import cases


@pytest.mark.parametrize("topic", pages())
def test_each_page_is_shown(lanchat, topic):
    ended = lanchat.run("help", topic)
    assert ended.code == 0 and ended.out == pages()[topic].read_text(encoding="utf-8")


@cases("name", all_commands())
def test_each_command_has_two_examples(name):
    help = all_commands()[name].help or ""
    examples = [line for line in help.partition("\b\n")[2].splitlines() if re.search(rf"\blanchat {name}\b", line)]
    assert len(examples) >= 2


def test_a_command_has_its_help_and_what_is_neither_is_proposed(lanchat):
    assert "--whole" in lanchat.run("help", "send").out
    wrong = lanchat.run("help", "jsn")
    assert wrong.code == 2 and "lanchat help json" in wrong.err
    assert lanchat.run("help", "nothing-like-it").err.endswith("  See them all: lanchat help\n")
    assert "lanchat help agents" in lanchat.run("help").out


def test_the_page_on_netcat_says_how_long_a_line_may_pause():
    page = " ".join(pages()["irc-clients"].read_text(encoding="utf-8").split())
    assert f"counts as a whole message after {DEFAULT_TIMING.unended_line:g} s" in page


def test_the_files_of_the_page_about_services_can_be_read():
    page = pages()["service"].read_text(encoding="utf-8")
    unit, plist = (re.sub("(?m)^    ", "", page[page.index(a) : page.index(b)]) for a, b in BLOCKS)
    parser = RawConfigParser()
    parser.read_string(unit)
    assert parser["Service"]["SuccessExitStatus"] == "130" and "--headless" in parser["Service"]["ExecStart"]
    assert plistlib.loads(plist.encode())["ProgramArguments"][1:] == ["host", "Room A", "--headless"]


BLOCKS = (("    [Unit]", "Then start it"), ("    <?xml", "## What to know"))
