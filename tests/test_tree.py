"""The tree of the tests, read from their names and imports: who looks for the tests of a module finds them."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "lanchat"
WHOLE = {"browser", "faults", "hostile", "irc", "support"}  # folders of tests of the whole program, or of the tests
STORIES = {  # of several modules, in the other folders
    "api": "api beside crowd examples no_thread old_client private takeover web_moves",
    "cli": "ask cli closed_streams man moving",
    "discovery": "lan",
    "gateway": "attacks gateway",
    "network": "lan",
    "room": "succession_model",
    "server/doors/irc": "labels tls",
    "server/engine": "cohosting hosts",
    "terminal": "killed",
    "terminal/chat": "calls",
}
# Whoever changes a file of tests should not have to think of others, and imported fixtures are collected twice.
# What two files need is in tests/support/, or beside them under a name that pytest does not collect. To read the syntax
# of all of them would take seconds, and ruff writes all imports alike.
OF_TESTS = re.compile(
    r"^ *(?:from|import) tests\.\S*\b(?:test_\w+|conftest)\b|^ *from tests\S* import .*\btest_\w+$", re.M
)


def test_no_test_takes_anything_from_a_file_of_other_tests():
    taken = {
        str(path.relative_to(TESTS)): OF_TESTS.findall(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py")
    }
    assert {path: modules for path, modules in taken.items() if modules} == {}


def test_a_file_of_tests_has_the_name_and_the_folder_of_the_module_that_it_is_about():
    stories: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        folder, name = path.parent.relative_to(TESTS).as_posix(), path.stem.removeprefix("test_")
        if folder not in WHOLE | {"."} and not (PACKAGE / folder / f"{name}.py").exists():
            stories.setdefault(folder, set()).add(name)
    assert stories == {folder: set(names.split()) for folder, names in STORIES.items()}
