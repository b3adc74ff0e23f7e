"""The first run of a checkout without the internet."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"
POSIX = pytest.mark.skipif(os.name != "posix", reason="the scripts are for a POSIX shell")
pytestmark = [pytest.mark.full, pytest.mark.timeout(300), POSIX]

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "small"
version = "1"
dependencies = ["needed"]
"""
BACKEND = """
import zipfile

def build_editable(folder, settings=None, metadata=None):
    name = "small-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        about = "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\nRequires-Dist: needed\\n"
        wheel.writestr("small-1.dist-info/METADATA", about)
        wheel.writestr("small-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("small-1.dist-info/RECORD", "")
    return name
"""


@pytest.fixture
def checkout(own_world: Path) -> Path:
    """A project that needs one package and nothing to be built."""
    folder = own_world / "checkout"
    (folder / "scripts").mkdir(parents=True)
    for script in ("constraints.txt", "env", "find-python", "make-venv"):
        shutil.copy(SCRIPTS / script, folder / "scripts")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    return folder


def first_run(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Install it while no package index answers."""
    nowhere = {name: "http://127.0.0.1:1/simple" for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")}
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return subprocess.run(
        [checkout / "scripts" / "make-venv", "run"],
        env=alone | nowhere | {"PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
    )


def test_without_an_index_one_sentence_says_what_to_do(checkout):
    ended = first_run(checkout)
    last = ended.stderr.splitlines()[-1]
    assert ended.returncode != 0 and ended.stdout == ""
    assert last.startswith("lanchat: the first start needs the internet once")
    assert f"scripts/wheels into {checkout}" in last
    assert len(ended.stderr.splitlines()) == 3, "and not what pip had to say"
    assert "needed" in (checkout / ".venv" / ".lanchat-log").read_text(), "which is kept"


def test_a_folder_of_wheels_that_does_not_fit_is_told_with_the_reason(checkout):
    (checkout / "wheels").mkdir()
    ended = first_run(checkout)
    assert ended.returncode != 0
    assert "needed" in ended.stderr, "what is missing"
    assert ended.stderr.splitlines()[-1].startswith("lanchat: the folder wheels does not fit")


def test_what_a_colleague_has_fetched_is_installed_instead(checkout):
    (checkout / "wheels").mkdir()
    with zipfile.ZipFile(checkout / "wheels" / "needed-2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("needed.py", "")
        wheel.writestr("needed-2.dist-info/METADATA", "Metadata-Version: 2.1\nName: needed\nVersion: 2\n")
        wheel.writestr("needed-2.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("needed-2.dist-info/RECORD", "")
    ended = first_run(checkout)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.splitlines()[-1] == "lanchat: installed from the folder wheels"
    found = subprocess.run([checkout / ".venv" / "bin" / "python", "-c", "import needed"], capture_output=True)
    assert found.returncode == 0
