"""lanchat/README.md, the tour of the code, names only files, classes, functions, commands and messages that exist.

Of .github/SECURITY.md only the files are looked up, most of which are tests.
"""

import re
from functools import cache
from pathlib import Path

import pytest

import lanchat

TOP = Path(lanchat.__file__).parent
PAGE = (TOP / "README.md").read_text(encoding="utf-8")
ELSEWHERE = {"XADD", "import lanchat", "shutdown", "ssl.SSLSocket", "websockets"}  # of other programs and libraries
_FILE = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|js|lua|md)")


def quoted(page: str) -> list[str]:
    """What stands in backquotes, but for blocks."""
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return [re.sub(r"\s+", " ", name) for name in re.findall(r"`([^`]+)`", prose)]


@cache
def files() -> frozenset[str]:
    """Every file and folder of the checkout that may be meant, with a slash before it."""
    found = [path for part in ("lanchat", "tests", "scripts", ".github") for path in (TOP.parent / part).rglob("*")]
    return frozenset(f"/{path.relative_to(TOP.parent).as_posix()}{'/' * path.is_dir()}" for path in found)


@cache
def modules() -> dict[str, str]:
    """The text of each module, script of the page, and Lua script, by its path."""
    return {
        f"/{path.relative_to(TOP.parent).as_posix()}": path.read_text(encoding="utf-8")
        for ending in ("py", "js", "lua")
        for path in TOP.rglob(f"*.{ending}")
    }


@cache
def defined() -> frozenset[str]:
    """Names of classes, functions, fields, commands and options, wherever they are defined."""
    pattern = re.compile(
        r'^\s*(?:def|class|function) (\w+)|^ {4}(\w+):|^(\w+) = |"([\w-]+)"|^  (\w+)\(.*\) \{', re.MULTILINE
    )
    return frozenset(name for text in modules().values() for names in pattern.findall(text) for name in names if name)


@cache
def classes() -> dict[str, list[tuple[str, str]]]:
    """What each class of this name is made from, and its body."""
    found: dict[str, list[tuple[str, str]]] = {}
    for text in modules().values():
        for name, bases, body in re.findall(r"^class (\w+)(?:\((.*?)\))?:.*\n((?:[ \t)].*\n|\n)*)", text, re.MULTILINE):
            found.setdefault(name, []).append((bases, body))
    return found


def class_has(name: str, attribute: str) -> bool:
    """Whether a class of this name, or one that it is made from, has this attribute."""
    there = re.compile(rf"\b(?:def |self\.){attribute}\b|^    {attribute}\b", re.MULTILINE)
    return any(
        there.search(body) or any(class_has(base, attribute) for base in re.findall(r"\w+", bases))
        for bases, body in classes().get(name, [])
    )


def exists(name: str) -> bool:
    if name in ELSEWHERE:
        return True
    if name.startswith(("lanchat ", "--")) or re.fullmatch(r"/\w+", name):  # a command, an option, or one of the chat
        return (name.split()[1] if " " in name else name).removeprefix("/") in defined()
    name = name.split()[0] if name.startswith("scripts/") else re.sub(r"\(.*", "", name)
    if _FILE.fullmatch(name):
        return any(file.endswith(f"/{name}") for file in files())
    if "." in name:
        owner, attribute = name.split(".")
        of_module = any(
            path.endswith(f"/{owner}.py") and re.search(rf"^def {attribute}\b", text, re.MULTILINE)
            for path, text in modules().items()
        )
        return of_module or class_has(owner, attribute) or class_has(owner.title(), attribute)
    return name in defined() or name.capitalize() in classes()  # a message has the name of its class in small letters


def test_everything_that_the_tour_names_is_there():
    assert sorted({name for name in quoted(PAGE) if not exists(name)}) == []
    assert sorted(ELSEWHERE - set(quoted(PAGE))) == []


def test_what_the_tour_finds_in_a_file_is_in_that_file():
    """Each "`Name` (`file`" of the page."""
    wrong, number = [], 0
    for name, file in re.findall(r"`([\w.]+?)(?:\(\))?` \(`([\w/]+\.(?:py|js))`", PAGE):
        number += 1
        texts = [text for path, text in modules().items() if path.endswith(f"/{file}")]
        last = re.escape(name.rsplit(".", 1)[-1])
        if not any(re.search(rf"\b(?:class|def|function) {last}\b|^{last} = ", text, re.MULTILINE) for text in texts):
            wrong.append(f"{name} is not in {file}")
    assert wrong == [] and number > 50


def test_every_test_that_the_page_about_security_names_is_there():
    names = quoted((TOP.parent / ".github/SECURITY.md").read_text(encoding="utf-8"))
    sources = {name for name in names if name.endswith((".py", ".js"))}
    assert sorted(name for name in sources if not exists(name)) == [] and len(sources) > 40


@pytest.mark.parametrize(
    "name",
    ["Nowhere", "room/nowhere.py", "nowhere.js", "Room.nowhere", "commands.nowhere", "lanchat nowhere", "--nowhere"],
)
def test_a_name_that_is_nowhere_is_found_out(name):
    assert not exists(name)
