"""The versions of scripts/constraints.txt are versions that pyproject.toml allows, of all that it asks for."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.cases import cases

TOP = Path(__file__).parent.parent
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED = [Requirement(line) for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"])]
LINES = (TOP / "scripts" / "constraints.txt").read_text(encoding="utf-8").splitlines()
TESTED = dict(line.split("==") for line in LINES if not line.startswith("#"))


@cases("asked", ASKED)
def test_a_dependency_has_a_version_that_was_tested(asked):
    assert asked.specifier.contains(TESTED[canonicalize_name(asked.name)])
