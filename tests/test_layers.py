"""The layers of DESIGN section 3, read from the imports themselves."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import lanchat

TOP = Path(lanchat.__file__).parent
CHECKOUT = {".ci", ".gitattributes", ".github", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md"}
CHECKOUT |= {"lanchat", "pyproject.toml", "scripts", "tests"}
MODULES = {
    ".".join(path.relative_to(TOP.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(TOP.rglob("*.py"))
}

# Who may import whom: each layer those before it, and itself. On one line: neighbours that do not know each other.
LAYERS = [
    ["lanchat.errors"],
    ["lanchat.protocol"],
    ["lanchat.threads"],
    ["lanchat.room", "lanchat.storage", "lanchat.network"],
    ["lanchat.server", "lanchat.client"],
    ["lanchat.discovery"],
    ["lanchat.doctor"],
    ["lanchat.api"],
    ["lanchat.agents", "lanchat.gateway", "lanchat.terminal"],
    ["lanchat.cli"],
    ["lanchat.__main__"],
]
STRANGERS = [  # on different levels, and yet not to know each other
    ("lanchat.discovery", "lanchat.room"),
    ("lanchat.discovery", "lanchat.server"),
]
PURE = {  # all that says so in its docstring, and every part of these two layers
    name
    for name, path in MODULES.items()
    if name.startswith(("lanchat.errors", "lanchat.protocol.", "lanchat.room."))
    or re.match(r'"""(?:(?!""").)*\bPure[.:;]', path.read_text(encoding="utf-8"), re.DOTALL)
}
OUTSIDE_WORLD = {"os", "pathlib", "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3"}
OUTSIDE_WORLD |= {"subprocess", "sys", "tempfile", "threading", "time"}
PURE_EXCEPTIONS = {("lanchat.protocol.tls", "pathlib")}  # for the type of a path that it hands on

DOORS = {  # the only modules that may import an outside package; more than one only where they are one door together
    "click": {
        "lanchat.cli.completion",
        "lanchat.cli.config",
        "lanchat.cli.engines",
        "lanchat.cli.files",
        "lanchat.cli.guests",
        "lanchat.cli.help",
        "lanchat.cli.host",
        "lanchat.cli.irc",
        "lanchat.cli.join",
        "lanchat.cli.look",
        "lanchat.cli.main",
        "lanchat.cli.mcp",
        "lanchat.cli.options",
        "lanchat.cli.picking",
        "lanchat.cli.script",
        "lanchat.cli.usage",
        "lanchat.terminal.joining",
        "lanchat.terminal.prompts",
    },
    "confusable_homoglyphs": {"lanchat.protocol.confusables"},
    "cryptography": {
        f"lanchat.protocol.{module}" for module in ("keys", "noise", "sealed", "sealed_file", "web_certificate")
    },
    "ifaddr": {"lanchat.network.interfaces"},
    "mnemonic": {"lanchat.network.password"},
    "msgspec": {
        f"lanchat.protocol.{module}"
        for module in "engine fields file_messages framing limits messages places standby status timing".split()
    }
    | {
        f"lanchat.server.engine.{module}"
        for module in ("calls", "controls", "entries", "facts", "sessions", "shared_log", "state")
    }
    | {"lanchat.agents.jsonrpc", "lanchat.api.dialer", "lanchat.gateway.channel"}
    | {"lanchat.terminal.json_events", "lanchat.terminal.json_input"},
    "platformdirs": {"lanchat.storage.home"},
    "prompt_toolkit": {
        "lanchat.terminal.chat.keys",
        "lanchat.terminal.chat.output",
        "lanchat.terminal.chat.printing",
        "lanchat.terminal.chat.screen",
        "lanchat.terminal.keyboard",
        "lanchat.terminal.picker.form",
        "lanchat.terminal.picker.picker",
        "lanchat.terminal.suspend",
    },
    "redis": {"lanchat.server.engine.redis_server"},
    "segno": {"lanchat.terminal.qr"},
    "spake2": {"lanchat.network.password"},
    "sqlite3": {
        f"lanchat.storage.{name}"
        for name in (
            *("indexing", "inserting", "log_state", "moving", "prepare", "private_files", "problems", "pruning"),
            *("reader", "readonly", "repair", "store"),
        )
    },
    "ssl": {"lanchat.protocol.tls"},
    "wcwidth": {"lanchat.terminal.cells"},
    "websockets": {"lanchat.server.doors.web.sealed"},
    "zeroconf": {"lanchat.discovery.mdns.mdns"},
}
MAX_LENGTH = 300  # lines; longer, and a second idea has come in


@cache
def imports(module: str) -> frozenset[str]:
    """Full names of all that this module imports, also inside functions and for types alone."""
    found: set[str] = set()
    for node in _statements(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(origin), names=names, level=0):
                found |= {
                    f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in MODULES else origin for alias in names
                }
            case ast.ImportFrom():
                pytest.fail(f"{module} imports by a relative name")
    return frozenset(found)


def _statements(block: ast.AST) -> Iterator[ast.AST]:
    """All that stands in it, at any depth, but for expressions, which are most of a tree and import nothing."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(block, name, ()):
            yield node
            yield from _statements(node)


@cache
def layer(module: str) -> int | None:
    for level, names in enumerate(LAYERS):
        if any(_inside(module, name) for name in names):
            return level
    return None


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _package(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_every_module_has_its_layer():
    assert [name for name in MODULES if name != "lanchat" and layer(name) is None] == []


def test_imports_point_down():
    wrong = []
    for module in MODULES:
        for imported in sorted(name for name in imports(module) if _inside(name, "lanchat")):
            if "lanchat" in (imported, module) or _package(imported) == _package(module):
                continue
            mine, theirs = layer(module), layer(imported)
            if mine is None or theirs is None or theirs >= mine:
                wrong.append(f"{module} imports {imported}, which stands above it or beside it")
    assert wrong == []


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_strangers_do_not_know_each_other(one, other):
    for module in MODULES:
        if _inside(module, one):
            assert [name for name in imports(module) if _inside(name, other)] == []


def test_modules_that_decide_say_that_they_are_pure():
    """One of each layer that decides anything, so that none of them is left out without notice."""
    deciding = {"client.reconnect", "discovery.directory", "server.acks", "storage.search", "terminal.chat.render"}
    assert {f"lanchat.{name}" for name in deciding} <= PURE and len(PURE) > 150


def test_pure_modules_know_no_outside_world():
    used = {(module, name.split(".")[0]) for module in PURE for name in imports(module)}
    assert {(module, name) for module, name in used if name in OUTSIDE_WORLD} - PURE_EXCEPTIONS == set()


def test_what_a_pure_module_loads_is_pure_as_well():
    """Looks at what is loaded in a fresh interpreter, so that nothing outside can come in by way of another module."""
    program = f"import sys\nfor name in {sorted(PURE)}: __import__(name)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    assert {name for name in loaded if _inside(name, "lanchat")} - PURE - packages == set()


def test_a_package_that_pure_modules_are_in_loads_nothing():
    packages = [name for name, path in MODULES.items() if path.name == "__init__.py" and name != "lanchat"]
    of_pure = [package for package in packages if any(_inside(module, package) for module in PURE)]
    loads = {(package, name) for package in of_pure for name in imports(package)}
    assert {(package, name) for package, name in loads if name not in ("importlib", "typing")} == set()


def test_each_outside_package_has_one_door():
    for package, doors in DOORS.items():
        assert {m for m in MODULES if any(_inside(name, package) for name in imports(m))} <= doors, package


def test_a_module_is_one_idea():
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert {module: length for module, length in lengths.items() if length > MAX_LENGTH} == {}


@pytest.mark.skipif(not ((TOP.parent / ".git").exists() and shutil.which("git")), reason="no checkout, or no git")
def test_nothing_is_at_the_top_that_does_not_belong_there():
    argv = ["git", "-c", "safe.directory=*", "ls-files"]  # whoever owns the folder
    listed = subprocess.run(argv, cwd=TOP.parent, capture_output=True, text=True, check=True).stdout
    assert {name.split("/")[0] for name in listed.splitlines()} == CHECKOUT
