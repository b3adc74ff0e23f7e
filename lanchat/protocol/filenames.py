"""Names of files that come from the network, made safe for every system. Pure.

The result is always the name of one file in the folder at hand: never a path, a hidden file, an option of a program, a
device of Windows, or a file that acts when a folder is only looked at.
"""

import unicodedata

from lanchat.protocol.text import safe_text

MAX_FILENAME = 180  # bytes of UTF-8; 255 is the limit of most systems, and our own endings need some
FALLBACK = "file"

_LONGEST_SOURCE = 256  # characters that are looked at; normalizing is quadratic in marks
_LONGEST_ENDING = 20  # bytes of an ending that a cut leaves
_FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"]
)
_ACTING_NAMES = frozenset(["desktop.ini", "autorun.inf"])
_ACTING_ENDINGS = (
    *(".lnk", ".url", ".scf", ".pif", ".library-ms", ".search-ms", ".searchconnector-ms", ".settingcontent-ms"),
    *(".appref-ms", ".desktop", ".directory", ".webloc", ".inetloc", ".fileloc"),
)


def safe_name(name: str) -> str:
    """A name that is safe on every system, as near to this one as possible. Never fails, and is idempotent."""
    name = name.replace("\\", "/").rstrip("/. ").rpartition("/")[2][-_LONGEST_SOURCE:]
    name = unicodedata.normalize("NFC", safe_text(unicodedata.normalize("NFC", name)))
    name = "".join("_" if char in _FORBIDDEN else char for char in name).strip(" ").rstrip(". ")
    if name[:1] in (".", "-", "~"):
        name = "_" + name.lstrip(".-~ ")
    name = _cut(name.replace("\ufffd", "_"))
    if not name.strip(" _."):
        return FALLBACK if not name.strip(" .") else name
    stem, dot, ending = name.partition(".")
    if stem.rstrip(" ").upper() in _DEVICES:
        name = f"_{stem.rstrip(' ')}{dot}{ending}"
    if name.casefold() in _ACTING_NAMES or name.casefold().endswith(_ACTING_ENDINGS):
        name += "_"
    return name


def _cut(name: str) -> str:
    """The name within its bound, with its ending."""
    if len(name.encode()) < MAX_FILENAME - 1:  # a mark may still be added at each end
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    room = MAX_FILENAME - 2 - len((dot + ending).encode())
    return (stem.encode()[:room].decode(errors="ignore") + dot + ending).rstrip(". ")
