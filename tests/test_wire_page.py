"""The page about the wire says what the code does: its lists of fields, codes and limits are the code's."""

import ast
import hashlib
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import inspect, structs

import lanchat
from lanchat.discovery.udp import flood_guard, packets
from lanchat.discovery.udp.packets import Here, Seek, decode, encode
from lanchat.network import flusher, sockets
from lanchat.protocol import (
    delegation,
    framing,
    invite,
    limits,
    nicks,
    standby,
    status,
    text,
    timeline,
    topic,
    transfer,
)
from lanchat.protocol.binding import Binding
from lanchat.protocol.closings import LeftCode, Refusal
from lanchat.protocol.delegation import Delegation, Standby, TermRecord
from lanchat.protocol.file_messages import FileEndReason, FileRefusal, FileState
from lanchat.protocol.framing import TransferLine
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.invite import parse_invite
from lanchat.protocol.irc.caps import OFFERED
from lanchat.protocol.limits import DEFAULT_FILE_LIMITS, DEFAULT_LIMITS
from lanchat.protocol.messages import VERSION, FromHost, FromMember
from lanchat.protocol.places import Place, Rules
from lanchat.protocol.timeline import Timeline, make_epoch
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.room import access, crowd, members, private, recent
from lanchat.server import crowd as host_crowd
from lanchat.server import past, throttle
from lanchat.server.admission import ATTEMPTS_OF_KNOWN, ATTEMPTS_OF_NEW, ATTEMPTS_PER_SOURCE
from tests.support.cases import cases

TOP = Path(lanchat.__file__).parent
PAGE = (TOP / "protocol/README.md").read_text(encoding="utf-8")
EMPTY: tuple[object, ...] = (False, 0, "", b"", (), {})  # what a field is if it is left out, unless the page says more
WIDTH, INDENT = 140, 14


def section(heading: str, until: str = "\n## ") -> str:
    """The part of the page below this heading."""
    return PAGE.split(f"{heading}\n", 1)[1].split(until, 1)[0]


# ---- all messages and their fields


def kind_of(type: inspect.Type) -> str:
    """How the page writes a type."""
    match type:
        case inspect.BoolType():
            return "bool"
        case inspect.IntType(ge=0, le=le) if le == 2**53 - 1:
            return "int"
        case inspect.IntType(ge=-1, le=le) if le == 2**53 - 1:
            return "last"
        case inspect.IntType(ge=ge, le=le):
            return f"{ge}..{le}"
        case inspect.StrType(pattern=str(pattern)):
            return "hex64" if "?" in pattern else "hex32"
        case inspect.StrType(min_length=least, max_length=most):
            return f"str{most}" if not least else f"str{least}-{most}"
        case inspect.BytesType(min_length=least, max_length=most):
            return f"b{most}" if least == most else f"b0-{most}"
        case inspect.VarTupleType(item_type=item):
            return f"list-of-{kind_of(item)}"
        case inspect.DictType(value_type=value):
            return f"object-of-{kind_of(value)}"
    raise AssertionError(type)


def fields_of(kind: type, name: str) -> str:
    """How the page writes the fields of a message."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    written = []
    for field in info.fields:
        if field.required:
            written.append(f"{field.encode_name}:{kind_of(field.type)}")
            continue
        factory = () if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        default = factory if field.default is msgspec.NODEFAULT else field.default
        written.append(f"{field.encode_name}?:{kind_of(field.type)}" + ("" if default in EMPTY else f"={default}"))
    line = f"{name:<{INDENT}}{' '.join(written) or '-'}"
    return textwrap.fill(line, WIDTH, subsequent_indent=" " * INDENT, break_on_hyphens=False)


MESSAGES = {
    str(kind.__struct_config__.tag): kind for kind in get_args(FromMember) + get_args(FromHost) + get_args(TransferLine)
}  # by type


def all_messages() -> Iterator[str]:
    yield from (fields_of(kind, name) for name, kind in MESSAGES.items())
    yield from (fields_of(kind, name) for kind, name in ((Place, "(a place)"), (Rules, "(rules)")))


def test_the_page_has_every_field_of_every_message():
    """A second client knows from here what may be left out, and what is malformed."""
    expected = "\n".join(all_messages())
    found = section("## All messages").split("```\n")[1].strip("\n")
    assert found == expected, f"the page has to have:\n{expected}"


def test_the_page_says_what_every_message_and_every_field_is():
    prose = PAGE.replace(section("## All messages"), "")
    named = set(re.findall(r"`([a-z0-9_]+)`", prose)) | set(re.findall(r'"([a-z0-9_]+)":', prose))
    named |= set(re.findall(r'"t":"([a-z_]+)"', prose))
    names = set(MESSAGES) | {field.encode_name for kind in MESSAGES.values() for field in structs.fields(kind)}
    assert names <= named


# ---- codes


def words_in(text: str) -> set[str]:
    return set(re.findall(r"`([a-z]+)`", text))


def table(heading: str) -> set[str]:
    """The codes in the first column of the table below this line."""
    rows = re.findall(r"^\|([^|]*)\|", section(heading, "\n\n").lstrip(), re.MULTILINE)
    return words_in("".join(rows))


def codes_sent(message: str) -> set[str]:
    """The codes that a host gives to messages of this type; doors to other protocols do not count."""
    found = set()
    for path in [*(TOP / "room").rglob("*.py"), *(TOP / "server").rglob("*.py"), TOP / "protocol/closings.py"]:
        if path.parent.name == "irc" or path.stem == "plain":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name(name) | ast.Attribute(attr=name), [*_, ast.Constant(str(code)), _]):
                    found |= {code} if name == message else set()
                case ast.Call(ast.Name(name) | ast.Attribute(attr=name), [ast.Constant(str(code)), _, _]):
                    found |= {code} if name == message else set()
    return found


@pytest.mark.parametrize(
    ("codes", "heading"),
    [
        (lambda: codes_sent("Notice"), "| code of a `notice` | meaning |"),
        (lambda: codes_sent("Closing"), "| code of a `closing` | meaning |"),
        (lambda: set(get_args(Refusal)), "| code | the member is refused because |"),
        (lambda: set(get_args(LeftCode)) - {"", "late", "busy"}, "| code | the member left because |"),
    ],
    ids=["notice", "closing", "refused", "left"],
)
def test_a_table_has_every_code(codes, heading):
    assert table(heading) == codes()


@pytest.mark.parametrize(
    ("codes", "beginning", "end"),
    [
        ({"late", "busy"}, "For any other code a client shows `reason`. (", ")"),
        (get_args(FileRefusal), "The `code` of `file_refused` is ", ".\n"),
        (get_args(FileEndReason), "| `file_removed` | `file`; `reason`: ", "|"),
        (get_args(FileState), "`to_nick`; `size`; `state`: ", "; `box`"),
    ],
    ids=["left without a join", "file_refused", "file_removed", "file_private"],
)
def test_a_sentence_has_every_code(codes, beginning, end):
    found = words_in(PAGE.split(beginning, 1)[1].split(end, 1)[0])
    assert found - {"left", "reason", "sha256", "file_removed"} == set(codes)


# ---- limits


def test_the_tables_of_rates():
    limits, files = DEFAULT_LIMITS, DEFAULT_FILE_LIMITS
    rows = [re.findall(r"[0-9]+", row.split("|", 2)[2]) for row in section("## Rates").splitlines() if "| " in row]
    found = [[int(number) for number in row] for row in rows if row]
    assert found == [
        [limits.message_burst, limits.message_rate],
        [limits.byte_burst // 1024, limits.byte_rate // 1024],
        [limits.rename_burst, 1, 1 / limits.rename_rate],
        [files.offers_burst, 1, 1 / files.offers_rate],
        [ATTEMPTS_PER_SOURCE, ATTEMPTS_PER_SOURCE],
        [ATTEMPTS_OF_NEW, ATTEMPTS_OF_KNOWN, ATTEMPTS_OF_NEW, ATTEMPTS_OF_KNOWN],
        [limits.connects_burst, limits.connects_rate],
    ]


TIMES, LIMITS, FILES = DEFAULT_TIMING, DEFAULT_LIMITS, DEFAULT_FILE_LIMITS
KIB, MIB, DAY, HOUR = 1024, 1024 * 1024, 86_400_000, 3_600_000
SENTENCES = [
    f"{framing.MAX_LINE:,} bytes before the end and at most {framing.MAX_NESTING} levels",
    f"A line that has begun has to end within {TIMES.line:g} s",
    f"said more than {limits.LATE_AFTER // 1000} s and at most {limits.LATE_AGE // DAY} days before by its `at`",
    f"its own messages of the last {limits.LATE_AGE // DAY} days, at most {limits.SAID_AGAIN:,}, whose",
    f"A member may have up to {members.MAX_SESSIONS} *sessions*",
    f"has not finished its part of this within {LIMITS.greeting:g} s",
    f"Above {LIMITS.crowd} people a room is a *crowd*, until there are fewer than {LIMITS.crowd_over}",
    f"at most every {host_crowd.COUNT_EVERY // 1000} s one if the number has changed",
    f"with a page of {crowd.PAGE}",
    f"A newcomer gets the last {recent.HISTORY} messages (`said` and nothing else)",
    f"or the last {recent.RESUME_SIZE:,} characters if that is less",
    f"more than {recent.RESUME} events or {recent.RESUME_SIZE:,} characters",
    f"A page has at most {past.PAGE} events or about {past.PAGE_SIZE // KIB} KiB",
    f"Up to {private.MAILBOX} private messages, or {private.MAILBOX_SIZE:,} bytes of padded text, wait for one member",
    f"for {limits.MAILBOX_AGE // DAY} days, and {private.MAX_WAITING:,} or",
    f"or {private.MAX_WAITING_SIZE // MIB} MiB in one room",
    f"It is good once, for {TIMES.ticket:g} s",
    f"every {TIMES.place_every:g} s",
    f"lines of at most {transfer.MAX_TRANSFER_LINE:,} bytes",
    f"After {TIMES.transfer_stall:g} s without a byte either side hangs up",
    f"`unfinished` ({FILES.unfinished // HOUR} h without a byte), `expired` ({FILES.kept // DAY} days)",
    f"at most {LIMITS.links_per_source} at a time and {LIMITS.strangers_per_source} before their proof",
    f"At most {LIMITS.strangers} links are before their proof",
    f"More than {throttle.MAX_LINES:,} lines within {sockets.RECEIVE_SIZE // KIB} KiB end the link",
    f"all members of a room together {LIMITS.room_message_burst:,} messages at once and {LIMITS.room_message_rate:,g} "
    f"a second, {LIMITS.room_byte_burst // MIB} MiB at once and {LIMITS.room_byte_rate / KIB:g} KiB a second",
    f"for whom {flusher.OUTBOX_LIMIT // MIB} MiB wait ({flusher.OUTBOX_SHARE // KIB} KiB, if",
    f"if {flusher.OUTBOXES_LIMIT // MIB} MiB wait for all together), or that has taken nothing for {TIMES.stall:g} s",
    f"1-{nicks.MAX_NICK} characters, at most {nicks.MAX_NICK_BYTES} bytes: letters, marks (at most",
    f"(at most {text.MAX_MARKS} above and below one letter, and as many beside it)",
    f"one key owns at most {access.MAX_NICKS}",
    f"1-{text.MAX_TITLE} visible characters, at most {text.MAX_TITLE_BYTES} bytes",
    f"1-{text.MAX_TEXT} bytes, at most {text.MAX_LINES} lines",
    f"in at most {status.MAX_AWAY} bytes",
    f"at most {topic.MAX_TOPIC} bytes in one line",
    f"after {TIMES.ping_after:g} s of silence, of the other side or of its own, a side sends a `ping`; after "
    f"{TIMES.dead_after:g} s without a byte the link is dead",
    f"nothing came from it for {TIMES.dead_after:g} s",
    f"holds one JSON object in at most {packets.MAX_DATAGRAM} bytes",
    f"A host also sends it unasked, every {flood_guard.ANNOUNCE_EVERY:g} s",
    f"not been announced for {flood_guard.EXPIRES_AFTER:g} s is gone",
    f"{flood_guard.ANSWER_RATE_OF_ONE:g} answers a second, and {flood_guard.ANSWER_BURST_OF_ONE:g} at once",
    f"all together get {flood_guard.ANSWER_RATE:g}, and {flood_guard.ANSWER_BURST:g} at once",
    f"within {TIMES.name:g} s",
    f"when nothing follows it for {TIMES.unended_line:g} s, or for {TIMES.single_key:g} s if it is a single character",
    f"pinged after {TIMES.irc_ping_after:g} s of silence and dropped after {TIMES.irc_dead_after:g} s",
    f"stays in the room for {TIMES.web_absence:g} s",
    f"no `moved` within {TIMES.promotion:g} s of its answer",
    f"after {TIMES.host_silence:g} s of silence, or after 1 s and four times the second worst delay",
    f"whichever is longer, but at most {TIMES.longest_silence:g} s",
    f"of all other standbys, for {TIMES.ask:g} s",
    f"the host's card too, and all of them for {TIMES.ask_long:g} s",
    f"if one hears the host, it waits, for at most {TIMES.indirect:g} s",
    f"The others wait {TIMES.promotion:g} s for it",
    f"the cards of those that do not follow it every {TIMES.watch:g} s",
    f"somebody other than its own person is there, or was within {TIMES.company:g} s",
    f"A term is at most 2^{timeline.MAX_TERM.bit_length()} - 1",
    f"up to {timeline.MAX_ENTRIES} earlier epochs",
    f"for up to {delegation.MAX_STANDBYS} standbys",
    f"A list has at most {standby.MAX_LIST:,} characters",
    f"Up to {invite.MAX_ADDRESSES - 1} more addresses",
]


@cases("sentence", SENTENCES)
def test_a_sentence_has_the_limit(sentence):
    assert sentence in " ".join(PAGE.split())


def test_the_page_has_every_capability_of_the_irc_door():
    found = PAGE.split("Capabilities: ", 1)[1].split(". ", 1)[0]
    named = {name.partition("=")[0] for name in re.findall(r"`([a-z/=-]+(?:PLAIN)?)`", found)}
    assert named - {"max-bytes"} == set(OFFERED)
    assert OFFERED["draft/multiline"] in found


# ---- examples


def keys_of(seed: int) -> tuple[Ed25519PrivateKey, bytes]:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return key, key.public_key().public_bytes_raw()


(HOST, HOST_KEY), (MEMBER, MEMBER_KEY) = keys_of(0x11), keys_of(0x22)
ROOM = "0123456789abcdef0123456789abcdef"


def test_the_example_of_a_proof():
    binding = Binding(
        *(VERSION, ROOM, hashlib.sha256(b"certificate").digest(), b"\xaa" * 32, b"\xbb" * 32),
        *(MEMBER_KEY, HOST_KEY, "grün"),
    )
    signed = binding.text()
    assert f"SHA-256 of the {len(signed)} bytes that are signed" in PAGE
    values = [HOST_KEY, MEMBER_KEY, hashlib.sha256(signed).digest(), MEMBER.sign(signed)]
    written = [*(value.hex() for value in values), fingerprint(MEMBER_KEY)]
    assert [value for value in written if f"`{value}`" not in section("## Joining")] == []


def test_the_example_of_papers():
    place = Standby(1, MEMBER_KEY, bytes(range(8)))
    paper = Delegation(ROOM, 3, 1700000000000, 1700604800000, False, 50, (place,))
    record = TermRecord(ROOM, MEMBER_KEY, 3, 1700000001000, Timeline(make_epoch(2, 1), ((make_epoch(1, 0), 5),)))
    engine = TermRecord(ROOM, HOST_KEY, 3, 1700000001000, Timeline(make_epoch(2, 0), record.timeline.past), engine=True)
    afters = [record.timeline.common(copy) for copy in ({64: 7}, {64: 3}, {64: 5, 129: 2})]
    rules = section("### Who may host (`delegation.py`)")
    assert f"`{paper.signed(HOST.sign).hex()}`" in rules and f"`{record.signed(MEMBER.sign).hex()}`" in rules
    assert f"`{engine.signed(HOST.sign).hex()}`" in rules
    assert f"| {'; '.join(map(str, afters))} |" in rules


def test_the_example_of_an_invite():
    whole, short = section("For example, the same invite in both ways:").split("```\n")[1].splitlines()
    read = parse_invite(whole)
    assert str(read) == whole and read.for_qr() == short
    assert read.fingerprint == fingerprint(MEMBER_KEY) and len(read.endpoints) == 2


def test_the_example_of_discovery():
    question, answer = (
        line.split(maxsplit=1)[1].encode()
        for line in section("the question is filled with spaces to 508 bytes:").split("```\n")[1].splitlines()
    )
    asked, answered = decode(question), decode(answer)
    assert isinstance(asked, Seek) and encode(asked) == question.ljust(508)
    assert isinstance(answered, Here) and encode(answered) == answer
    assert asked.nonce == answered.nonce and answered.room_id == ROOM
