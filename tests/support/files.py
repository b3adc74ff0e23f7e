"""Files to send, and what is in them."""

import hashlib
import random
from pathlib import Path

SIZE = 3_000_000  # bytes: many pieces, and quickly made
_PIECE = 1 << 20


def file_of(folder: Path, name: str, size: int = SIZE, seed: int = 0) -> Path:
    """A file of so many bytes, each time the same ones for the same seed."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    with open(folder / name, "wb") as out:
        for at in range(0, size, _PIECE):
            out.write(chance.randbytes(min(_PIECE, size - at)))
    return folder / name


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
