"""The settings: one table, from which options, the config file, `lanchat config` and completion are made. Pure.

A key of the table is what stands in the file. Where it belongs to an option, the two share their environment variable.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from lanchat.errors import LanchatError

MAX_SIZE = 64 * 1024  # bytes of the file; a full one has two thousand
LONGEST_WORD = 100  # characters of a word that counts as a mention
MOST_WORDS = 50  # of them: each message is searched for each

Value = str | bool | int | float | tuple[str, ...]


class BadSetting(LanchatError):
    """What stands in the config file, or in a variable for it, is no setting."""

    exit_code = 2


class Kind(NamedTuple):
    """What the value of a setting may be.

    Args:
        form: as it is written in the file.
        check: the value, made of what the file says. Raises ValueError with what it has to be.
        parse: what the file would say, of the text of an environment variable.
    """

    form: str
    check: Callable[[object], Value]
    parse: Callable[[str], object] = str


class Setting(NamedTuple):
    """One row of the table.

    Args:
        default: what holds if nothing is said; None: nothing, and `usual` says in words what happens then.
        example: a value as the file writes it.
        option: its name; "": there is none.
    """

    key: str
    kind: Kind
    help: str
    default: Value | None
    example: str
    usual: str = ""
    option: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that wins over the file."""
        return variable(self.option or self.key)


def variable(name: str) -> str:
    """The environment variable of an option or a key."""
    return f"LANCHAT_{name.removeprefix('--').upper().replace('-', '_').replace('.', '_')}"


def _flag(value: object) -> Value:
    if not isinstance(value, bool):
        raise ValueError("has to be true or false")
    return value


def _flag_of(text: str) -> object:
    return {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}.get(
        text.lower(), text
    )


def _seconds(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError("has to be a number of seconds")
    return value


def _port(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise ValueError("has to be a number from 0 to 65535")
    return value


def _number_of(text: str) -> object:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('has to be a text in quotes, such as "ann"')
    return value


def _nick(value: object) -> Value:
    from lanchat.protocol.nicks import clean_nick

    try:
        return clean_nick(_text(value))
    except ValueError as error:
        raise ValueError(f"does not fit: {error}") from None


def _keep(value: object) -> Value:
    from lanchat.storage.retention import parse_retention

    try:
        parse_retention(text := _text(value))
    except ValueError as error:
        raise ValueError(f"does not fit: {error}") from None
    return text


def _texts(value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError('has to be a list of texts, such as ["one", "two"]')
    return tuple(text.strip() for text in texts)


def _words(value: object) -> Value:
    words = _texts(value)
    if len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in words):
        raise ValueError(f"has room for {MOST_WORDS} words of up to {LONGEST_WORD} characters")
    return words


def _texts_of(text: str) -> object:
    return [part for part in text.split(",") if part.strip()]


def _one_of(*choices: str) -> Kind:
    def check(value: object) -> Value:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"has to be {form}")
        return value

    *first, last = (f'"{one}"' for one in choices)
    form = f"{', '.join(first)} or {last}"
    return Kind(form, check)


NICK = Kind("a nick in quotes", _nick)
NAMES = Kind("a list of texts", _texts, _texts_of)
WORDS = Kind("a list of texts", _words, _texts_of)
FLAG = Kind("true or false", _flag, _flag_of)
SECONDS = Kind("a number", _seconds, _number_of)
PORT = Kind("a number", _port, _number_of)
KEEP = Kind("an age or a number in quotes", _keep)

SETTINGS = (
    Setting("nick", NICK, "your nick", None, '"ann"', "the one of last time", "--nick"),
    Setting("interface", NAMES, "use only these interfaces", (), '["eth0"]', "all", "--interface"),
    Setting("wait", SECONDS, "seconds to look for a room", None, "5", "5, for a list 2", "--wait"),
    Setting("notify.bell", FLAG, "ring, and show popups", True, "true", option="--bell"),
    Setting("notify.popup", _one_of("auto", "osc9", "osc99", "osc777", "off"), "which popups", "auto", '"auto"'),
    Setting("notify.title", FLAG, "count new messages in the window's title", True, "true"),
    Setting("notify.words", WORDS, "words that call you as your nick does", (), '["deploy"]', "none"),
    Setting("screen.joins", _one_of("all", "people", "none"), "whose comings and goings to show", "all", '"all"'),
    Setting("host.port", PORT, "the port of a room", None, "47474", "47474 or the next free one", "--port"),
    Setting("host.keep", KEEP, "keep this much of a room's log", None, '"30d"', "all", "--keep"),
    Setting("host.irc_port", PORT, "the port for IRC clients", None, "6667", "none", "--irc-port"),
    Setting("host.irc_tls_port", PORT, "the port for IRC clients by TLS", None, "6697", "none", "--irc-tls-port"),
)
BY_KEY = {setting.key: setting for setting in SETTINGS}


def parse_file(text: str, where: str) -> dict[str, Value]:
    """The settings in a config file, by their keys.

    Args:
        where: the file, as a person calls it.

    Raises:
        BadSetting: it is not valid TOML, or a key is unknown, or its value has the wrong type.
    """
    import tomllib  # only for who has a file

    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        why = "is not valid TOML" if isinstance(error, RecursionError) else f"is not valid TOML: {error}"
        raise BadSetting(f"{where} {why}.", REPAIR) from None
    return {key: _checked(key, value, _place(text, where, key)) for key, value in _flat(found)}


def parse_variable(setting: Setting, text: str) -> Value:
    """The value that an environment variable gives to a setting.

    Raises:
        BadSetting: the setting takes no such value.
    """
    try:
        return setting.kind.check(setting.kind.parse(text))
    except ValueError as error:
        raise BadSetting(
            f"{setting.variable} {error}.", f"It stands for {setting.key}: lanchat help settings"
        ) from None


def shown(value: Value) -> str:
    """A value as the file writes it, in one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def template() -> str:
    """A config file with every setting, each behind a mark that takes it out."""
    lines = ["# The settings of lanchat (lanchat help settings). Options and environment variables win over them."]
    table = ""
    for setting in SETTINGS:
        before, _, name = setting.key.rpartition(".")
        if before != table:
            table = before
            lines += ["", f"[{table}]"]
        usual = setting.usual or shown(setting.default or "")
        lines += ["", f"# {setting.help} (default: {usual}): {setting.kind.form}", f"#{name} = {setting.example}"]
    return "\n".join(lines) + "\n"


def near_key(typed: str) -> str:
    """The key that was probably meant; "": none looks like it."""
    from lanchat.cli.usage import nearest  # only after a mistake

    by_name = {key.rpartition(".")[2]: key for key in reversed(BY_KEY)}
    return nearest(typed, [*BY_KEY]) or by_name.get(nearest(typed.rpartition(".")[2], [*by_name]), "")


REPAIR = "Repair it: lanchat config --edit"
_HEADER = r"\s*\[+\s*([^\]]*?)\s*\]"
_NAME = r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """The values with their dotted keys."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _checked(key: str, value: object, place: str) -> Value:
    from lanchat.protocol.text import safe_text

    setting = BY_KEY.get(key)
    if setting is not None:
        try:
            return setting.kind.check(value)
        except ValueError as error:
            raise BadSetting(f"{place}: {key} {error}.", f"For example: {key} = {setting.example}") from None
    if "password" in key.lower():
        raise BadSetting(f"{place}: a password does not belong here.", "Put it into a file for --password-file.")
    last = key.rpartition(".")[2]
    if last != key and last in BY_KEY:
        raise BadSetting(f"{place}: unknown key {safe_text(key)}.", f"{last} stands above the first line in brackets.")
    near = near_key(key)
    raise BadSetting(
        f"{place}: unknown key {safe_text(key)[:LONGEST_WORD]}.",
        f"Did you mean {near}?" if near else "All keys: lanchat help settings",
    )


def _place(text: str, where: str, key: str) -> str:
    """The file, and the line in which the key is set, where that can be told."""
    import re  # only after a mistake

    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(_HEADER, line):
            table = f"{_plain(header[1])}."
        elif (name := re.match(_NAME, line)) and f"{key}.".startswith(f"{table}{_plain(name[1])}.".removeprefix(".")):
            return f"{where}, line {number}"
    return where


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
