"""What this machine is like: firewalls, key, disk, clock, versions. Reads only; where a question fails, no answer."""

import importlib
import importlib.metadata
import ipaddress
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from lanchat import __version__
from lanchat.doctor.report import LEAST_DISK, Firewall, Machine
from lanchat.errors import LanchatError
from lanchat.protocol.address import Address
from lanchat.storage.files import SET_HOME
from lanchat.storage.identity import KEY_FILE, load_identity

COMMAND_LIMIT = 3.0  # s for a program of the system to answer
_PACKAGES = ("zeroconf", "cryptography", "msgspec", "prompt_toolkit")
_LIBRARIES = (("sqlite", "sqlite3", "sqlite_version"), ("openssl", "ssl", "OPENSSL_VERSION"))
_OF_CONTAINERS = [ipaddress.ip_network(network) for network in ("172.16.0.0/12", "10.88.0.0/16")]  # Docker, Podman
_SQLITE_SAFE = {(3, 44): 6, (3, 50): 7, (3, 51): 3}  # the first patch without the WAL-reset fault, by branch


def examine_machine(home: Path, here: Sequence[Address], port: Literal["free", "a room", "taken"]) -> Machine:
    versions = {"lanchat": __version__, "python": platform.python_version(), **dict(_versions())}
    disk = _free(home)
    warnings = [*_clock_warnings(), *_sqlite_warnings(versions.get("sqlite", ""))]
    if disk is not None and LEAST_DISK <= disk < 10 * LEAST_DISK:
        warnings.append(f"only {disk // 1_000_000} MB are free for logs")
    key, trouble = _key(home)
    return Machine(
        system=platform.system(),
        versions=versions,
        warnings=tuple(warnings),
        firewalls=tuple(_firewalls()),
        wsl=_is_wsl(),
        container=_is_container(here),
        home=str(home),
        key=key,
        disk=disk,
        clock=time.strftime("%Y-%m-%d %H:%M:%S %z"),
        port=port,
        trouble=trouble,
    )


def _key(home: Path) -> tuple[str, tuple[str, str] | None]:
    """What there is to say of the key; trouble and what to do about it."""
    if not os.path.lexists(home / KEY_FILE):
        parent = next((folder for folder in (home, *home.parents) if folder.exists()), home)
        if os.access(parent, os.W_OK):
            return "will be made on first use", None
        return "none", (f"{home} cannot be written", SET_HOME)
    try:
        return f"fingerprint {load_identity(home).id}", None
    except LanchatError as error:
        return "unusable", (str(error), error.hint)


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            yield package, "missing"
    for name, module, attribute in _LIBRARIES:
        try:
            yield name, str(getattr(importlib.import_module(module), attribute))
        except ImportError:
            yield name, "missing"


def _sqlite_warnings(version: str) -> Iterator[str]:
    try:
        major, minor, patch = map(int, version.split(".")[:3])
    except ValueError:
        return
    if (major, minor, patch) < (3, 51, 3) and patch < _SQLITE_SAFE.get((major, minor), 1000):
        yield f"sqlite {version} can damage a log that two programs write at once (fixed in 3.51.3); lanchat never does"


def _clock_warnings() -> Iterator[str]:
    """A clock before this program was written is wrong; the times in the chat are then, too."""
    if time.time() < Path(__file__).stat().st_mtime - 86400:
        yield f"the clock says {time.strftime('%Y-%m-%d')}, which is before lanchat was installed"


def _free(home: Path) -> int | None:
    folder = next((folder for folder in (home, *home.parents) if folder.exists()), None)
    try:
        return None if folder is None else shutil.disk_usage(folder).free
    except OSError:
        return None


def _firewalls() -> Iterator[Firewall]:
    match sys.platform:
        case "linux":
            yield from _linux_firewalls()
        case "darwin":
            said = _run("/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate")
            if "enabled" in said:
                yield Firewall("macos", "the firewall of macOS is on")
        case "win32":
            yield from _windows_profiles()
        case _:
            pass


def _linux_firewalls() -> Iterator[Firewall]:
    if "enabled=yes" in _read("/etc/ufw/ufw.conf").lower().replace(" ", ""):
        yield Firewall("ufw", "ufw is on", True)
    if Path("/run/firewalld").exists() or _run("firewall-cmd", "--state").strip() == "running":
        yield Firewall("firewalld", "firewalld runs", True)
    rules = _run("nft", "list", "ruleset")  # says nothing to anyone but root
    chain_drops = "hook input" in rules and ("policy drop" in rules or " drop" in rules or " reject" in rules)
    if chain_drops:
        yield Firewall("nft", "nftables drops some of what comes in", True)


def _windows_profiles() -> Iterator[Firewall]:
    said = _run("powershell", "-NoProfile", "-Command", "(Get-NetConnectionProfile).NetworkCategory")
    if "Public" in said:
        text = "Windows takes this network for a public one"
        yield Firewall("windows", f"{text}, where its firewall keeps others out", True)
    elif "State" in (state := _run("netsh", "advfirewall", "show", "currentprofile")) and "ON" in state:
        yield Firewall("windows", "the firewall of Windows is on")


def _is_wsl() -> bool:
    return "microsoft" in _read("/proc/sys/kernel/osrelease").lower()


def _is_container(here: Sequence[Address]) -> bool:
    """Inside a container with a network of its own; one with the network of its machine is like the machine."""
    if not any(os.path.exists(mark) for mark in ("/.dockerenv", "/run/.containerenv")):
        return False
    return any(ipaddress.ip_address(address.text) in network for address in here for network in _OF_CONTAINERS)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _run(*command: str) -> str:
    """What this program says; empty where it is missing, forbidden or slow."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=COMMAND_LIMIT, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")
