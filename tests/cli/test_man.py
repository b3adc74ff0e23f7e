"""The man page: made from the help, complete, and shipped."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from lanchat.cli.help import pages
from lanchat.cli.main import all_commands
from scripts.manpage.__main__ import PATH, manual
from scripts.manpage.roff import marked, page, plain

TOP = Path(__file__).parents[2]
FORMATTERS = (
    ["groff", "-K", "utf8", "-man", "-Tutf8", "-P", "-cbou", "-rLL=100n", "-rHY=0"],
    ["mandoc", "-Tutf8", "-Owidth=100"],
)


def words(text: str) -> str:
    return " ".join(text.split())


def read(roff: str) -> str:
    """What stands on the page, without a formatter."""
    lines = []
    for line in roff.splitlines():
        if line.startswith((".SH ", ".SS ")):
            line = line[4:]
        elif line.startswith("."):
            continue
        line = re.sub(r"\\f[BRI]", "", line)
        for escape, character in (
            ("&", ""),
            ("-", "-"),
            ("(aq", "'"),
            ("(ga", "`"),
            ("(ha", "^"),
            ("(ti", "~"),
            ("e", "\\"),
        ):
            line = line.replace(f"\\{escape}", character)
        lines.append(line)
    return words("\n".join(lines))


def formatted(formatter: list[str]) -> str:
    made = subprocess.run([*formatter, str(PATH)], capture_output=True, text=True, check=True, encoding="utf-8")
    assert made.stderr == ""
    return words(re.sub(r".\x08", "", made.stdout).replace("\u2010", "-").replace("\u2212", "-"))


def shown(line: str) -> list[str]:
    """The parts of a line of Markdown as they stand on the page."""
    if line.startswith("```") or set(line) <= set("|- "):
        return []
    text = re.sub(r"^(#+|\*) ", "", line).replace("**", "")
    parts = text.strip("|").split("|") if line.startswith("|") else [text]
    return [words(part if line.startswith("    ") else part.replace("`", "")) for part in parts]


def test_the_page_is_the_one_that_is_made_now():
    assert PATH.read_text(encoding="utf-8") == manual(), "make it again: scripts/man-page"


@pytest.mark.parametrize(
    "formatter",
    [pytest.param(None, id="none"), *(pytest.param(one, id=one[0]) for one in FORMATTERS if shutil.which(one[0]))],
)
def test_no_line_of_the_help_is_lost(formatter):
    there = read(manual()) if formatter is None else formatted(formatter)
    for topic, path in pages().items():
        lines = path.read_text(encoding="utf-8").splitlines()
        heads = {before for before, line in zip(lines, lines[1:], strict=False) if line.startswith("|--")}
        for line in (line for line in lines if line not in heads):
            for part in shown(line):
                assert (part.upper() if line.startswith("# ") else part) in there, f"{topic}: {line}"
    for command in all_commands().values():
        for line in (command.help or "").replace("\b", "").splitlines():
            assert words(line) in there
        for option in (one for one in command.params if not getattr(one, "hidden", False)):
            assert all(name in there for name in option.opts if name.startswith("-"))


def test_nothing_of_a_text_is_a_request_or_an_escape():
    assert plain(".SH X") == "\\&.SH X" and plain("a\\fB-x") == "a\\efB\\-x"
    assert marked("`.x` and **y**") == "\\fB\\&.x\\fR and \\fBy\\fR"
    assert marked("see (`a\n.b`)") == "see (\\fBa\n\\&.b\\fR)"
    assert page("    .SH X\n\n    'y\n") == [".PP", ".RS 4", ".EX", "\\&.SH X", "", "\\(aqy", ".EE", ".RE"]


def test_a_table_names_its_columns_where_there_are_more_than_two():
    assert page("| a | b |\n|--|--|\n| `x` | one |\n") == [".TP", "\\fBx\\fR", "one"]
    assert page("| a | b | c |\n|--|--|--|\n| x | 1 | 2 |\n") == [".TP", "x", "b: 1", ".br", "c: 2"]


def test_the_wheel_has_the_page_where_man_looks():
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {str(PATH.relative_to(TOP)): "share/man/man1/lanchat.1"}
