"""Asks the system about this machine: firewalls, key, disk, clock, versions, router.

It only reads. What the system does not say is left out.
"""

import importlib
import importlib.metadata
import ipaddress
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lanchat import __version__
from lanchat.doctor.report import LEAST_DISK, Firewall, Machine, PortUse
from lanchat.errors import LanchatError
from lanchat.protocol.address import Address
from lanchat.protocol.text import grouped
from lanchat.storage.files import SET_HOME, existing_folder
from lanchat.storage.identity import KEY_FILE, load_identity

COMMAND_LIMIT = 3.0  # s for a program of the system to answer
ROUTER_LIMIT = 1.0  # s for the router to answer on the link
_PACKAGES = ("zeroconf", "cryptography", "msgspec", "prompt_toolkit")
_LIBRARIES = (("sqlite", "sqlite3", "sqlite_version"), ("openssl", "ssl", "OPENSSL_VERSION"))
_CONTAINER_NETWORKS = [ipaddress.ip_network(network) for network in ("172.16.0.0/12", "10.88.0.0/16")]  # Docker, Podman


def describe_machine(home: Path, own: Sequence[Address], port: PortUse) -> Machine:
    """Find out about this machine: versions, clock, disk, firewalls, home folder and key.

    Args:
        own: the addresses of this machine on the networks that are checked.
    """
    versions = {"lanchat": __version__, "python": platform.python_version(), **dict(_versions())}
    disk = _free(home)
    warnings = [*_clock_warnings()]
    if disk is not None and LEAST_DISK <= disk < 10 * LEAST_DISK:
        warnings.append(f"only {disk // 1_000_000} MB are free for logs")
    key, trouble = _key(home)
    return Machine(
        system=platform.system(),
        versions=versions,
        warnings=tuple(warnings),
        firewalls=tuple(_firewalls()),
        wsl=_is_wsl(),
        container=_is_container(own),
        home=str(home),
        key=key,
        disk=disk,
        clock=time.strftime("%Y-%m-%d %H:%M:%S %z"),
        port=port,
        trouble=trouble,
    )


def router_answers(own: Sequence[Address]) -> bool | None:
    """Whether the default gateway answers on the link, as Linux tells it; None if there is none on our networks."""
    routes = [line.split() for line in _read("/proc/net/route").splitlines()[1:]]
    gateways = [route[2] for route in routes if route[1] == "00000000" and int(route[3], 16) & 2]
    if not gateways:
        return None
    gateway = ipaddress.ip_address(bytes.fromhex(gateways[0])[::-1])
    if not any(gateway in address.network for address in own):
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(b"", (str(gateway), 9))  # the discard port: only its hardware address is of interest
        except OSError:
            return False
    deadline = time.monotonic() + ROUTER_LIMIT
    while time.monotonic() < deadline:
        for line in _read("/proc/net/arp").splitlines()[1:]:
            fields = line.split()
            if fields[0] == str(gateway) and int(fields[2], 16) & 2:
                return True
        time.sleep(0.05)
    return False


def _key(home: Path) -> tuple[str, tuple[str, str] | None]:
    """The state of the key, and what is wrong with it: the trouble, and what to do about it."""
    if not os.path.lexists(home / KEY_FILE):
        if os.access(existing_folder(home), os.W_OK):
            return "will be made on first use", None
        return "none", (f"{home} cannot be written", SET_HOME)
    try:
        return f"fingerprint {grouped(load_identity(home).id)}", None
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
            yield name, str(getattr(importlib.import_module(module), attribute)).removeprefix("OpenSSL ")
        except ImportError:
            yield name, "missing"


def _clock_warnings() -> Iterator[str]:
    """A clock that shows a time before this program was installed is wrong, and so are the times in the chat."""
    if time.time() < Path(__file__).stat().st_mtime - 86400:
        yield f"the clock says {time.strftime('%Y-%m-%d')}, which is before lanchat was installed"


def _free(home: Path) -> int | None:
    try:
        return shutil.disk_usage(existing_folder(home)).free
    except OSError:
        return None


def _firewalls() -> Iterator[Firewall]:
    match sys.platform:
        case "linux":
            yield from _linux_firewalls()
        case "darwin":
            said = _run("/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate")
            if "enabled" in said:
                yield Firewall("macos", "the macOS firewall is on")
        case "win32":
            yield from _windows_profiles()
        case _:
            pass


def _linux_firewalls() -> Iterator[Firewall]:
    if "enabled=yes" in _read("/etc/ufw/ufw.conf").lower().replace(" ", ""):
        yield Firewall("ufw", "ufw is on", True)
    if Path("/run/firewalld").exists() or _run("firewall-cmd", "--state").strip() == "running":
        yield Firewall("firewalld", "firewalld is on", True)
    rules = _run("nft", "list", "ruleset")  # prints nothing unless root asks
    chain_drops = "hook input" in rules and ("policy drop" in rules or " drop" in rules or " reject" in rules)
    if chain_drops:
        yield Firewall("nft", "nftables drops some incoming packets", True)


def _windows_profiles() -> Iterator[Firewall]:
    said = _run("powershell", "-NoProfile", "-Command", "(Get-NetConnectionProfile).NetworkCategory")
    if "Public" in said:
        yield Firewall("windows", "Windows treats this network as public and blocks incoming connections", True)
    elif "State" in (state := _run("netsh", "advfirewall", "show", "currentprofile")) and "ON" in state:
        yield Firewall("windows", "the Windows firewall is on")


def _is_wsl() -> bool:
    return "microsoft" in _read("/proc/sys/kernel/osrelease").lower()


def _is_container(own: Sequence[Address]) -> bool:
    """Whether this is a container with a network of its own, and not with the network of its machine."""
    if not any(os.path.exists(mark) for mark in ("/.dockerenv", "/run/.containerenv")):
        return False
    return any(ipaddress.ip_address(address.text) in network for address in own for network in _CONTAINER_NETWORKS)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _run(*command: str) -> str:
    """The output of a program; empty if it is missing, forbidden or slow."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=COMMAND_LIMIT, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")
