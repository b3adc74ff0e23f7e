"""The tree of the tests, read from their names and imports."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
# Whoever changes a file of tests should not have to think of others, and imported fixtures are collected twice.
# What two files need is in tests/support/, or beside them under a name that pytest does not collect. To read the syntax
# of all of them would take seconds, and ruff writes all imports alike.
OF_TESTS = re.compile(r"^ *from tests\.\S*\b(?:test_\w+|conftest) import|^ *from tests\S* import .*\btest_\w+$", re.M)


def test_no_test_takes_anything_from_a_file_of_other_tests():
    taken = {
        str(path.relative_to(TESTS)): OF_TESTS.findall(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py")
    }
    assert {path: modules for path, modules in taken.items() if modules} == {}
