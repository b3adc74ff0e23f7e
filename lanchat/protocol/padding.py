"""The sizes of private messages, and of the offers of files for one person, before they are sealed. Pure.

A text is padded to one of four sizes.

So "ok" and "yes" look alike on their way, and a room can count the messages that wait without being able to read them.
"""

from lanchat.protocol.text import MAX_TEXT, TooLong

SIZES = (64, 256, 1024, MAX_TEXT)  # bytes of a padded text
OFFER_SIZE = 256  # bytes of a padded offer of a file: the longest safe name fits, so none tells how long its name is
OVERHEAD = 178  # further bytes of a box: two keys 64, share 32, signature 64, length of the text 2, tag 16
_LENGTH = 2  # bytes, big-endian


def pad(text: bytes) -> bytes:
    """The text behind its length, filled with zeros up to the next size.

    Raises:
        ValueError: it is too long.
    """
    for size in SIZES:
        if len(text) <= size:
            return len(text).to_bytes(_LENGTH, "big") + text + bytes(size - len(text))
    raise TooLong(f"A message may have at most {MAX_TEXT} bytes.")


def unpad(padded: bytes) -> bytes:
    """The opposite of `pad`.

    Raises:
        ValueError: `pad` makes no such bytes.
    """
    length = int.from_bytes(padded[:_LENGTH], "big")
    text = padded[_LENGTH : _LENGTH + length]
    if len(text) != length or pad(text) != padded:
        raise ValueError("the padding is wrong")
    return text


def padded_size(box: bytes) -> int:
    """How many bytes the text in a box counts as.

    Raises:
        ValueError: no box has this size.
    """
    size = len(box) - OVERHEAD
    if size not in SIZES:
        raise ValueError("A private message must be sealed and padded.")
    return size
