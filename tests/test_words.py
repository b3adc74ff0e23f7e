"""One word for one thing: lanchat uses the words of its field, and the words they have replaced stay away."""

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

import lanchat
from tests.support.cases import cases

TOP = Path(lanchat.__file__).parent
MODULES = sorted(TOP.rglob("*.py"))
PAGES = [*sorted(TOP.rglob("*.md")), TOP.parent / "README.md", TOP.parent / ".github/SECURITY.md"]

REPLACED = {  # each in the singular, with the word that stands for the same thing now
    "comeback": "reconnect",
    "ear": "socket, receiver",
    "entrance": "join",
    "evening": "run, start",
    "hearing": "flood guard",
    "knock": "probe, connect",
    "ledger": "unacked, acks",
    "letter": "private message",
    "lookout": "finder",
    "mail": "private message",
    "mouth": "socket, sender",
    "news": "queue, events",
    "presence": "Present, people",
    "seat": "session",
    "shout": "announce, flood",
    "spot": "address, sighting",
    "station": "node, address",
    "whisper": "private message",
}
IN_NAMES = REPLACED | {"turn": "batch"}
FORMS = IN_NAMES | {f"{word}s": instead for word, instead in IN_NAMES.items()}
IN_NAMES_OF_FUNCTIONS = {
    "told": "what it does; `Told` is the type of a message",
    "tell": "send, deliver, announce, notify; the verb of the API and of the wire is for private messages alone",
    "rest": "end, pause",
}
IN_TEXTS = {rf"\b{word}s?\b": instead for word, instead in REPLACED.items()} | {
    r"(?<!set )(?<!set-)\basides?\b": "private message",
    r"\b(an?|each|every|one|per|the|this) turns?\b": "batch",
    r"\b(at|to) rest\b": "end, pause",
    r"\bknock(ed|ing)\b": "probe, connect",
    r"\bshout(ed|ing)\b": "announce, flood",
    r"\bwhisper(ed|ing)\b": "private message",
    r"\b(anew|heaps? up|whoever|whomever)\b": "name the thing",
    r"\bbe it\b": "name the thing",
    r"\b(files?|messages?|one|ones|texts?|threads?) of ours\b": "our ...",
}
# Few texts hold any of them, and one search of the text in lower case is quick: each begins where a word does.
_ANY_IN_TEXTS = re.compile(rf"\b(?:{'|'.join(IN_TEXTS)})")
ALLOWED = {  # where a word means something else; an entry without a use fails
    ("letter", "protocol/README.md"): "a letter of the alphabet",
    ("letter", "protocol/confusables.py"): "a letter of the alphabet",
    ("letter", "protocol/invisible.py"): "a letter of the alphabet",
    ("letter", "protocol/invite.py"): "a letter of the alphabet",
    ("letter", "protocol/text.py"): "a letter of the alphabet",
    ("letter", "protocol/nicks.py"): "a letter of the alphabet",
    ("letter", "storage/search.py"): "a letter of the alphabet",
    ("letter", "terminal/picker/picker.py"): "a letter of the alphabet",
    ("letter", "terminal/picker/selection.py"): "a letter of the alphabet",
    ("letter", ".github/SECURITY.md"): "a letter of the alphabet",
    **{("tell", f"{name}.py"): "a private message" for name in ("agents/calls", "api/room", "client/sending")},
    **{("tell", f"{name}.py"): "a private message" for name in ("room/private", "terminal/chat/private")},
    ("mail", "storage/migrations.py"): "the name of a table before a migration, which files in use may still have",
}


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that the code defines or uses, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                yield node.lineno, name
            case ast.keyword(arg=str(name)) | ast.MatchAs(name=str(name)):
                yield node.lineno, name


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Every comment and every string of a module, docstrings among them, with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING) or "FSTRING_MIDDLE" in tokenize.tok_name[token.type]:
            yield token.start[0], token.string


@cache
def words_of(name: str) -> list[str]:
    """The words of a name: `left_over`, `LeftOver` and `LEFT_OVER` are all left and over."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def replaced_in_module(source: str) -> Iterator[tuple[int, str, str]]:
    """Every use of a replaced word: its line, the word, and what to write instead."""
    if _any_of(FORMS, r"[^\W\d]\w*", source) or _any_of(IN_NAMES_OF_FUNCTIONS, r"\bdef\s+(\w+)", source):
        tree = ast.parse(source)
        for line, name in names(tree):
            yield from ((line, word, FORMS[word]) for word in words_of(name) if word in FORMS)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                hits = [word for word in words_of(node.name) if word in IN_NAMES_OF_FUNCTIONS]
                yield from ((node.lineno, word, IN_NAMES_OF_FUNCTIONS[word]) for word in hits)
    if _ANY_IN_TEXTS.search(source.lower()):
        for line, text in texts(source):
            yield from ((line + before, word, instead) for before, word, instead in replaced_in_text(text))


def _any_of(replaced: Collection[str], pattern: str, source: str) -> bool:
    """Whether a name like this has one of these words, wherever it stands: a quick look, before a slow one."""
    return any(word in replaced for name in set(re.findall(pattern, source)) for word in words_of(name))


def replaced_in_text(text: str) -> Iterator[tuple[int, str, str]]:
    """As `replaced_in_module`, for prose; the line is counted from 0."""
    if not _ANY_IN_TEXTS.search(text.lower()):
        return
    for pattern, instead in IN_TEXTS.items():
        for found in re.finditer(pattern, text, re.IGNORECASE):
            yield text.count("\n", 0, found.start()), found[0].lower(), instead


def uses() -> list[tuple[str, int, str, str]]:
    """Every use of a replaced word in the program and its pages: file, line, word, and what to write instead."""
    found = []
    for path in [*MODULES, *PAGES]:
        file = str(path.relative_to(TOP if path.is_relative_to(TOP) else TOP.parent))
        source = path.read_text(encoding="utf-8")
        hits = replaced_in_module(source) if path.suffix == ".py" else replaced_in_text(source)
        found += [(file, line, word, instead) for line, word, instead in hits]
    return found


def test_a_word_that_was_replaced_stays_away_and_each_exception_is_needed():
    found = uses()
    wrong = [
        f'{file}:{line + file.endswith(".md")}: "{word}"; write: {instead}'
        for file, line, word, instead in found
        if (word.removesuffix("s"), file) not in ALLOWED
    ]
    assert not wrong, "\n".join(wrong)
    assert not ALLOWED.keys() - {(word.removesuffix("s"), file) for file, _, word, _ in found}


FOUND_IN = {  # the field's word for what these do, which somebody who looks for it will search for
    "admission": ["server/admission.py"],
    "back-pressure": ["client/queue.py", "network/bulk.py", "threads.py"],
    "backoff": ["client/reconnect.py"],
    "deduplicate": ["client/dedup.py", "room/recent.py"],
    "failover": ["client/takeover.py", "room/succession.py", "server/standbys.py"],
    "group commit": ["storage/sqlite_log.py"],
    "heartbeat": ["client/silence.py", "server/replication.py"],
    "migration": ["storage/migrations.py"],
    "rate limit": ["network/allowance.py", "network/bandwidth.py", "server/quotas.py", "server/throttle.py"],
    "reconnect": ["client/reconnect.py"],
    "repair": ["storage/repair.py"],
    "resend": ["client/delivery.py", "client/unacked.py"],
    "retention": ["storage/retention.py"],
    "roster": ["room/roster.py"],
    "search": ["storage/search.py"],
    "split-brain": ["api/watch.py", "room/succession.py", "server/company.py"],
}


def test_what_the_field_has_a_word_for_is_found_by_that_word():
    """In a docstring, where the word says what the module does."""
    docstring = re.compile(r'"""(.*?)"""', re.DOTALL)
    wrong = [
        f"{file}: {word}"
        for word, files in FOUND_IN.items()
        for file in files
        if not any(word in text.lower() for text in docstring.findall((TOP / file).read_text(encoding="utf-8")))
    ]
    assert wrong == []


def test_a_room_with_a_password_is_not_called_locked():
    """`locked` is a room under /lock, whose host admits nobody new, or a file. Here rooms are only told and listed."""
    parts = ["discovery", "terminal/picker", "terminal/rooms.py", "terminal/joining.py", "api/targets.py"]
    parts += ["protocol/messages.py", "protocol/handshake.py", "protocol/papers.py", "protocol/guest_ports.py"]
    parts += ["api/web.py", "cli/guests.py", "server/doors/web/door.py"]
    files = [*PAGES[-2:], *(path for path in MODULES if path.relative_to(TOP).as_posix().startswith(tuple(parts)))]
    assert len(files) > len(parts)
    wrong = [
        f"{path.name}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(un)?locked\b", line) and "Refusal = Literal" not in line
    ]
    assert not wrong, "write `password`:\n" + "\n".join(wrong)


def test_a_docstring_begins_with_a_sentence():
    bare = re.compile(r'"""\n\s*(Args|Attributes|Raises|Returns):')
    wrong = [
        f"{path.relative_to(TOP)}:{source.count(chr(10), 0, found.start()) + 1}"
        for path in MODULES
        for source in [path.read_text(encoding="utf-8")]
        for found in bare.finditer(source)
    ]
    assert not wrong, "say first what it is or does:\n" + "\n".join(wrong)


@cases(
    ("source", "line"),
    [
        ("def take_seats():\n    pass", 1),
        ("class NewsItem:\n    pass", 1),
        ("LEDGER = 1", 1),
        ("room.whisper('hi')", 1),
        ("greet(mouth=1)", 1),
        ("def _told(said): pass", 1),
        ("def tell_all(said): pass", 1),
        ("x = 1\ndef _rest(closing): pass", 2),
        ("x = 1\ny = 2  # asked once a turn", 2),
        ('"""One line.\n\nThe readers come to rest here.\n"""', 3),
        ('print("no letters")', 1),
        ("print(f'{number} letters')", 1),
        ("x = 1  # the owner, whoever that is", 1),
    ],
)
def test_a_replaced_word_is_found_in_names_strings_docstrings_and_comments(source, line):
    assert [found for found, _, _ in replaced_in_module(source)] == [line]


@pytest.mark.parametrize(
    "source",
    [
        "def year(): return Told('1')",
        "x = 1  # a heart in the early hours, in turn; the rest follows",
        "def restore(told): return told.retold",
    ],
)
def test_other_words_may_contain_them(source):
    assert list(replaced_in_module(source)) == []


# Of these words no one has another meaning in tests, but for the seats of a car in the picture of README.md.
BESIDE = "comeback ear entrance knock ledger lookout mouth news seat shout whisper".split()
_ANY_BESIDE = re.compile(
    rf"(?<![A-Za-z])(?:(?:{'|'.join(f'{word}|{word.title()}' for word in BESIDE)})s?(?![a-z])"
    rf"|(?:{'|'.join(BESIDE).upper()})S?(?![A-Z]))"
)


def test_tests_and_scripts_use_the_same_words():
    here = Path(__file__).resolve()
    files = {*here.parent.rglob("*.py"), *TOP.parent.glob("scripts/**/*.py")}
    assert len(files) > 300
    wrong = [
        f"{path.relative_to(TOP.parent)}: {found[0]}"
        for path in sorted(files - {here})
        for found in _ANY_BESIDE.finditer(path.read_text(encoding="utf-8").replace("has two seats", ""))
    ]
    assert not wrong, "\n".join(wrong)
