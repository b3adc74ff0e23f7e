"""Tags that are added to finished lines: labels and references of batches (IRCv3, labeled-response). Pure."""

from collections.abc import Iterable, Iterator, Mapping

from lanchat.protocol.irc.line import made, tags_of

MAX_LABEL = 64  # bytes (IRCv3, labeled-response)
_END = b"\r\n"


def tagged(data: bytes, **tags: str) -> bytes:
    """These lines, each with these tags as well."""
    more = tags_of(tags)
    return b"".join(_with(line, more) for line in data.split(_END) if line)


def batched(data: bytes, ref: str) -> bytes:
    """These lines as lines of the batch of this reference. Of a batch inside it, only the first line is one."""
    more = b"batch=" + ref.encode()
    return b"".join(
        line + _END if _of_batch(line) else _with(line, more) for line in data.removesuffix(_END).split(_END)
    )


def batch(
    lines: Iterable[bytes], ref: str, server: str, kind: str, *words: str, tags: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """These lines, as they are asked for, between the two lines of a batch of this kind.

    Args:
        words: the parameters of the batch.
        tags: those of its first line.
    """
    yield made(server, "BATCH", f"+{ref}", kind, *words, tags=tags)
    for data in lines:
        yield batched(data, ref)
    yield made(server, "BATCH", f"-{ref}")


def labelled(data: bytes, label: str, server: str, ref: str) -> bytes:
    """The lines that answer a line with this label. Several of them become a batch, and none an ACK.

    Args:
        ref: the reference of that batch; "": the client knows no batches, so that the first line has the label alone.
    """
    lines = data.split(_END)[:-1]
    if not lines:
        return made(server, "ACK", tags={"label": label})
    if len(lines) == 1 or not ref or _is_batch(lines):
        return _with(lines[0], tags_of({"label": label})) + _END.join([*lines[1:], b""])
    begin = made(server, "BATCH", f"+{ref}", "labeled-response", tags={"label": label})
    return begin + batched(data, ref) + made(server, "BATCH", f"-{ref}")


def _with(line: bytes, tags: bytes) -> bytes:
    if line.startswith(b"@"):
        return b"@%s;%s\r\n" % (tags, line[1:])
    return b"@%s %s\r\n" % (tags, line)


def _of_batch(line: bytes) -> bool:
    """Whether this line belongs to a batch already, or ends one."""
    if line.startswith(b"@"):
        tags, _, line = line.partition(b" ")
        if tags.startswith(b"@batch=") or b";batch=" in tags:
            return True
    words = line.split(b" ", 3)
    at = 1 if line.startswith(b":") else 0
    return words[at : at + 1] == [b"BATCH"] and words[at + 1].startswith(b"-")


def _is_batch(lines: list[bytes]) -> bool:
    """Whether these lines are one whole batch."""
    first, last = lines[0].split(), lines[-1].split()
    at = first.index(b"BATCH") if b"BATCH" in first[:3] else -1
    return 0 <= at < len(first) - 1 and last[-2:-1] == [b"BATCH"] and last[-1][1:] == first[at + 1][1:]
