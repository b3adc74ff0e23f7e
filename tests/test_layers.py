"""The layers of DESIGN section 3, read from the imports themselves."""

import ast
from functools import cache
from pathlib import Path

import pytest

import lanchat

TOP = Path(lanchat.__file__).parent
MODULES = {
    ".".join(path.relative_to(TOP.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(TOP.rglob("*.py"))
}

# Who may import whom: each layer those before it, and itself. On one line: neighbours that do not know each other.
LAYERS = [
    ["lanchat.errors", "lanchat.closing"],
    ["lanchat.protocol"],
    ["lanchat.net", "lanchat.room"],
    ["lanchat.discovery"],
    ["lanchat.doors"],
    [
        "lanchat.home",
        "lanchat.hosting",
        "lanchat.knock",
        "lanchat.comeback",
        "lanchat.ledger",
        "lanchat.memory",
        "lanchat.news",
        "lanchat.member",
        "lanchat.speaker",
        "lanchat.lookout",
    ],
    ["lanchat.doctor"],
    ["lanchat.joined", "lanchat.entrance", "lanchat.api"],
    ["lanchat.terminal"],
    ["lanchat.cli_options", "lanchat.cli_talk", "lanchat.cli_look", "lanchat.cli_doctor"],
    ["lanchat.cli"],
    ["lanchat.__main__"],
]
TOGETHER = {*LAYERS[5], *LAYERS[7], *LAYERS[9]}  # these may know each other
STRANGERS = [  # on different levels, and yet not to know each other
    ("lanchat.discovery", "lanchat.room"),
]
PURE = [
    *(name for name in MODULES if name.startswith("lanchat.protocol")),
    *("lanchat.errors", "lanchat.closing", "lanchat.room.room", "lanchat.room.view"),
    *(
        "lanchat.room.effects",
        "lanchat.room.keep",
        "lanchat.room.mail",
        "lanchat.room.rights",
        "lanchat.room.rows",
        "lanchat.room.turn",
        "lanchat.room.seats",
        "lanchat.ledger",
    ),
    *("lanchat.discovery.sighting", "lanchat.discovery.directory", "lanchat.discovery.records"),
    *("lanchat.discovery.datagram", "lanchat.discovery.hearing", "lanchat.net.invite", "lanchat.net.pulse"),
    *("lanchat.doctor.findings", "lanchat.doctor.diagnosis", "lanchat.terminal.doctor"),
    *("lanchat.terminal.commands", "lanchat.terminal.render", "lanchat.terminal.listing", "lanchat.terminal.selection"),
    *("lanchat.terminal.cells", "lanchat.terminal.drawing"),
]
OUTSIDE_WORLD = {"os", "pathlib", "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3"}
OUTSIDE_WORLD |= {"subprocess", "sys", "tempfile", "threading", "time"}
PURE_EXCEPTIONS = {("lanchat.protocol.tls", "pathlib")}  # for the type of a path that it hands on

DOORS = {  # the only modules that may import an outside package; more than one only where they are one door together
    "click": {
        "lanchat.cli",
        "lanchat.cli_doctor",
        "lanchat.cli_look",
        "lanchat.cli_options",
        "lanchat.cli_talk",
        "lanchat.terminal.ask",
    },
    "confusable_homoglyphs": {"lanchat.protocol.lookalikes"},
    "cryptography": {"lanchat.net.identity"},
    "ifaddr": {"lanchat.net.interfaces"},
    "mnemonic": {"lanchat.net.password"},
    "msgspec": {"lanchat.protocol.messages", "lanchat.protocol.framing"},
    "platformdirs": {"lanchat.home"},
    "prompt_toolkit": {"lanchat.terminal.screen", "lanchat.terminal.picker"},
    "segno": {"lanchat.terminal.qr"},
    "spake2": {"lanchat.net.password"},
    "sqlite3": {"lanchat.room.archive", "lanchat.room.mend", "lanchat.room.store"},
    "ssl": {"lanchat.protocol.tls"},
    "wcwidth": {"lanchat.terminal.cells"},
    "zeroconf": {"lanchat.discovery.mdns"},
}
MAX_LENGTH = 300  # lines; longer, and a second idea has come in


@cache
def imports(module: str) -> frozenset[str]:
    """Full names of all that this module imports, also inside functions and for types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
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


@pytest.mark.parametrize("module", [name for name in MODULES if name != "lanchat"])
def test_imports_point_down(module):
    mine = layer(module)
    for imported in sorted(name for name in imports(module) if _inside(name, "lanchat")):
        if imported == "lanchat" or _package(imported) == _package(module):
            continue
        theirs = layer(imported)
        assert theirs is not None and mine is not None, f"{module} imports {imported}"
        assert theirs <= mine, f"{module} imports {imported}, which stands above it"
        assert theirs < mine or {_package(module), _package(imported)} <= TOGETHER, f"{module} imports {imported}"


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_strangers_do_not_know_each_other(one, other):
    for module in MODULES:
        if _inside(module, one):
            assert [name for name in imports(module) if _inside(name, other)] == []


@pytest.mark.parametrize("module", sorted({name for name in PURE if name in MODULES}))
def test_pure_modules_know_no_outside_world(module):
    used = {name.split(".")[0] for name in imports(module)} & OUTSIDE_WORLD
    assert {(module, name) for name in used} - PURE_EXCEPTIONS == set()


@pytest.mark.parametrize("package", DOORS)
def test_each_outside_package_has_one_door(package):
    users = {m for m in MODULES if any(_inside(name, package) for name in imports(m))}
    assert users <= DOORS[package]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_one_idea(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= MAX_LENGTH
