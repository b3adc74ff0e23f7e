"""Other servers, if they are installed: ngIRCd, InspIRCd, NATS. They run without limits, as lanchat does here."""

import os
import shutil
from dataclasses import dataclass

from scripts.benchmark.dialects import Irc, Nats
from scripts.benchmark.servers import Kind

_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))

_NGIRCD = """\
[Global]
Name = irc.bench.local
Info = bench
AdminInfo1 = bench
AdminEMail = bench@bench.local
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = bench
PidFile = {home}/ngircd.pid
ServerUID = 0
ServerGID = 0
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
"""

_INSPIRCD = """\
<server name="irc.bench.local" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@bench.local">
{tls}
<connect name="main" allow="*" timeout="60" pingfreq="600" hardsendq="1000000000" softsendq="1000000000"
 recvq="1000000000" threshold="1000000" commandrate="1000000000" fakelag="no" localmax="100000" globalmax="100000"
 maxconnwarn="no" resolvehostnames="no" useident="no" maxchans="10">
<performance netbuffersize="10240" somaxconn="1024" quietbursts="yes">
<path configdir="{home}" datadir="{home}" logdir="{home}" runtimedir="{home}">
<pid file="{home}/inspircd.pid">
"""
_INSPIRCD_PLAIN = '<bind address="127.0.0.1" port="{port}" type="clients">'
_INSPIRCD_TLS = """\
<module name="ssl_gnutls">
<sslprofile name="bench" provider="gnutls" certfile="{certificate}" keyfile="{key}" dhfile="">
<bind address="127.0.0.1" port="{port}" type="clients" sslprofile="bench">"""


@dataclass(frozen=True)
class Peer:
    program: str
    package: str
    kinds: tuple[Kind, ...]


def peers() -> list[Peer]:
    """All known servers, installed or not."""
    return [
        Peer("ngircd", "ngircd", (_ngircd(),)),
        Peer("inspircd", "inspircd", (_inspircd(tls=False), _inspircd(tls=True))),
        Peer("nats-server", "nats-server", (_nats(),)),
    ]


def installed() -> tuple[list[Kind], list[str]]:
    """The servers that can be measured here, and the packages of those that are not installed."""
    known = peers()
    missing = [peer.package for peer in known if _path(peer.program) == peer.program]
    return [kind for peer in known if peer.package not in missing for kind in peer.kinds], missing


def _path(program: str) -> str:
    return shutil.which(program, path=_PLACES) or program


def _ngircd() -> Kind:
    words = (_path("ngircd"), "-n", "-f", "{home}/ngircd.conf")
    files = (("ngircd.conf", _NGIRCD),)
    return Kind("ngIRCd", Irc(), words, under_way=8, files=files)  # it listens with a backlog of 10


def _inspircd(*, tls: bool) -> Kind:
    words = (_path("inspircd"), "--nofork", "--nolog", "--runasroot", "--config={home}/inspircd.conf")
    text = _INSPIRCD.replace("{tls}", _INSPIRCD_TLS if tls else _INSPIRCD_PLAIN)
    name = "InspIRCd, TLS" if tls else "InspIRCd"
    return Kind(
        name, Irc(tls=tls), words, under_way=500, files=(("inspircd.conf", text),)
    )  # it lets people in once a second


def _nats() -> Kind:
    return Kind("NATS", Nats(), (_path("nats-server"), "-a", "127.0.0.1", "-p", "{port}"))
