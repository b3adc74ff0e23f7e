"""The lines of MCP over stdio: one JSON-RPC object a line. Pure.

Two eras of MCP are spoken, because there are clients of both: until 2025-11-25 a client begins with `initialize`; since
2026-07-28 each request names its version, and `server/discover` tells what a server can do.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

EARLIER = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")  # begin with `initialize`
NOW = "2026-07-28"
MAX_LINE = 1024 * 1024  # bytes; a client has no reason for more

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602
WRONG_VERSION = -32022

Id = int | str


class _Meta(msgspec.Struct, frozen=True):
    progress: Id | None = msgspec.field(default=None, name="progressToken")
    version: str | None = msgspec.field(default=None, name="io.modelcontextprotocol/protocolVersion")


class Params(msgspec.Struct, frozen=True):
    """The parameters that this server reads, of all methods."""

    meta: _Meta = msgspec.field(default=_Meta(), name="_meta")
    version: str = msgspec.field(default="", name="protocolVersion")  # initialize
    name: str = ""  # tools/call
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)
    request: Id | None = msgspec.field(default=None, name="requestId")  # notifications/cancelled


class _Envelope(msgspec.Struct, frozen=True):
    method: str = ""
    id: Id | None = None
    params: Params = Params()


class _OnlyId(msgspec.Struct, frozen=True):
    """The id of a request whose other fields cannot be read. The answer names it."""

    id: Id | None = None


@dataclass(frozen=True)
class Request:
    """A request, which gets an answer; or, with the id None, a notification, which gets none."""

    id: Id | None
    method: str
    params: Params

    @property
    def is_modern(self) -> bool:
        """Whether it names its version, as requests do since 2026-07-28."""
        return self.params.meta.version is not None


@dataclass(frozen=True)
class Fault(Exception):
    """A line that is no request, or a request that cannot be understood."""

    code: int
    text: str
    id: Id | None = None
    data: Mapping[str, Any] | None = None


_DECODER = msgspec.json.Decoder(_Envelope)
_ID = msgspec.json.Decoder(_OnlyId)


def split(more: Callable[[], bytes]) -> Iterator[bytes]:
    """The lines of a stream. A line that is too long is replaced by one that is no JSON, so that it gets that answer.

    Args:
        more: gives the next bytes, and none at the end.
    """
    partial, overlong = bytearray(), False
    while data := more():
        *ends, rest = data.split(b"\n")
        for end in ends:
            partial += end
            yield b"!" if overlong or len(partial) > MAX_LINE else bytes(partial)
            partial, overlong = bytearray(), False
        partial += rest
        if len(partial) > MAX_LINE:
            partial, overlong = bytearray(), True
    if partial or overlong:
        yield b"!" if overlong else bytes(partial)


def read(line: bytes) -> Request | None:
    """Read a line; None: it is nothing that gets an answer, such as a blank line.

    Raises:
        Fault: it is malformed.
    """
    if not line.strip():
        return None
    try:
        envelope = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise Fault(INVALID_REQUEST, f"Not a request of MCP: {error}.", _id_of(line)) from None
    except (msgspec.MsgspecError, RecursionError):
        raise Fault(PARSE_ERROR, "This line is not JSON.") from None
    if not envelope.method:  # the answer to a request, of which this server sends none
        return None
    return Request(envelope.id, envelope.method, envelope.params)


def result(request: Request, values: Mapping[str, Any], server: Mapping[str, str]) -> str:
    """The line that answers a request.

    Args:
        server: its name and version, which each answer has since 2026-07-28.
    """
    if request.is_modern:
        meta = {"io.modelcontextprotocol/serverInfo": server}
        values = {"resultType": "complete", **values, "_meta": meta}
    return _line({"id": request.id, "result": values})


def failure(fault: Fault) -> str:
    data = {} if fault.data is None else {"data": fault.data}
    return _line({"id": fault.id, "error": {"code": fault.code, "message": fault.text, **data}})


def notification(method: str, params: Mapping[str, Any]) -> str:
    return _line({"method": method, "params": params})


def agreed_version(wanted: str) -> str:
    """The version of an `initialize`: the one that was asked for if it is known, else the latest of that era."""
    return wanted if wanted in EARLIER else EARLIER[-1]


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps({"jsonrpc": "2.0", **values}) + "\n"  # ASCII: no client reads a line end in a text


def _id_of(line: bytes) -> Id | None:
    try:
        return _ID.decode(line).id
    except (msgspec.MsgspecError, RecursionError):
        return None
