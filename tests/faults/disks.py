"""A small disk that a test fills."""

from pathlib import Path

DISK = 4 * 1024 * 1024  # bytes


def fill(ballast: Path) -> None:
    """Write until this disk is full."""
    with open(ballast, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                pass
