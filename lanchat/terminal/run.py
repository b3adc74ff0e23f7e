"""Runs a room that was joined or opened: with the chat screen, or as a script."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime

from lanchat.api.room import JoinedRoom
from lanchat.errors import LanchatError
from lanchat.protocol.text import safe_text
from lanchat.storage.home import home_folder
from lanchat.storage.input_history import InputHistory
from lanchat.storage.own_settings import own_settings
from lanchat.storage.rooms import TYPED, member_file
from lanchat.terminal.cells import Fragments
from lanchat.terminal.exit import FLUSH_LIMIT, GOODBYE_LIMIT, INTERRUPTED, exit_after
from lanchat.terminal.host_again import closing_text
from lanchat.terminal.json_input import MAX_JSON_LINE
from lanchat.terminal.options import DEFAULT_SCREEN, ScreenOptions, ScriptOptions
from lanchat.terminal.phrases import moment_text
from lanchat.terminal.script import Script
from lanchat.terminal.stdio import is_discarded, is_dumb, put, read_lines
from lanchat.terminal.wording import (
    COMPARE,
    first_time_text,
    held_text,
    note_text,
    resent_text,
    unsent_text,
)

LAST_ACK = 1.0  # s; a host that is there has answered by then, and a person who leaves does not want to wait


class Notices:
    """Passes sentences from other threads on to whatever shows them, and keeps them until that is there."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._show: Callable[[str], None] | None = None
        self._lock = threading.Lock()  # guards both

    def __call__(self, notice: str) -> None:
        with self._lock:
            if self._show is None:
                self._kept.append(notice)
            else:
                self._show(notice)

    def show_with(self, show: Callable[[str], None]) -> None:
        with self._lock:
            self._show = show
            for notice in self._kept:
                show(notice)
            self._kept.clear()


@contextmanager
def telling_successor(room: JoinedRoom) -> Iterator[None]:
    """Close the room behind this block, and tell who hosts it from then on, if that was our program."""
    try:
        yield
    finally:
        room.close()
        if room.successor:
            put(sys.stderr, f'{safe_text(room.successor)} hosts "{safe_text(room.title)}" from here on.')


def run_chat(
    room: JoinedRoom,
    notices: Notices,
    *notes: tuple[str, bool],
    look: ScreenOptions = DEFAULT_SCREEN,
    drawn: Fragments | None = None,
    accept: int = 0,
) -> int:
    """Show the chat screen until its person leaves or the room is gone; the screen itself says why.

    Args:
        notes: what to show first below the history; True: it is a command that others type.
        drawn: what to show below them, such as a QR code.
        accept: as for `Chat`.

    Returns:
        The exit code.
    """
    from lanchat.terminal.chat.chat import Chat

    home = home_folder(needed=False)
    room_id = None if room.card.ephemeral else room.card.room
    typed = InputHistory(member_file(home, room_id, TYPED) if room_id else None)
    chat = Chat(room, own=own_settings(home, room_id), typed=typed, look=look, dumb=is_dumb(), accept=accept)
    for note, is_command in notes:
        chat.note(note, command=is_command)
    if drawn:
        chat.show(drawn)
    if room.key_status == "new":
        chat.note(_first_time(room) if room.invited else f"{_first_time(room)}\n{COMPARE}")
    if held := room.unsent.held:
        chat.note(held_text(len(held), _when(room.unsent.left_at), held[-1].text))
    elif room.unsent.left_over:
        chat.note(resent_text(room.unsent.left_over, _when(room.unsent.left_at)))
    notices.show_with(chat.note)
    end = chat.run()
    _say_unsent(room)
    if end.error is None:
        _say_closing(room)
    if end.error is not None:
        return end.error.exit_code
    return 0 if end.signal is None else INTERRUPTED


def run_script(
    room: JoinedRoom,
    notices: Notices,
    options: ScriptOptions,
    *,
    deadline: float | None = None,
    headless: bool = False,
) -> int:
    """Without a screen: say what comes from stdin, and print what arrives.

    Args:
        deadline: when the time of `options.timeout` is over, by `time.monotonic()`; None: never.
        headless: leave stdin alone, as if it were empty.

    Returns:
        The exit code.

    Raises:
        LanchatError: the room is gone, or the time is over.
    """
    hosting = room.hosting
    if room.key_status == "new":
        _print_note(_first_time(room))
    if room.unsent.left_over:
        _print_note(resent_text(room.unsent.left_over, _when(room.unsent.left_at)))
    notices.show_with(_print_note)
    if headless and options.until is None and is_discarded(sys.stdout):
        room.deafen()  # nobody would see what it hears
    lines = iter(()) if headless else read_lines(sys.stdin.fileno(), MAX_JSON_LINE if options.json_in else None)
    script = Script(room, lines, sys.stdout, sys.stderr, options, deadline)
    try:
        return script.run()
    except (LanchatError, KeyboardInterrupt) as end:
        if headless and isinstance(end, KeyboardInterrupt) and not script.output_blocked:
            with suppress(OSError):  # the terminal may be gone
                _say_closing(room)
        if script.output_blocked:  # the reader of our stdout may be the one of our stderr, too
            limit = GOODBYE_LIMIT if hosting else FLUSH_LIMIT
            exit_after(limit, end.exit_code if isinstance(end, LanchatError) else INTERRUPTED)
        raise


def _say_closing(room: JoinedRoom) -> None:
    """Tell who ends the program that hosts a room how it is hosted again, and who goes on with it."""
    closes = room.hosting and (room.owned or room.engine) and (room.ends or not room.backup)
    if closes and not room.card.ephemeral:
        others = () if room.ends else [safe_text(nick) for nick in room.other_hosts]
        put(sys.stderr, closing_text(safe_text(room.title), room.engine, others))


def _say_unsent(room: JoinedRoom) -> None:
    """Tell who leaves what was not sent, and what becomes of it."""
    if room.connected and room.unacked:
        with suppress(LanchatError):
            room.wait_acked(LAST_ACK)  # what was said just now may still be on its way
    unheard, number = room.unsent.unheard(1)
    last = [*room.unsent.held, *unheard][-1:]
    if number := max(room.unacked, number) + len(room.unsent.held):
        text = last[0].text if last else ""
        put(sys.stderr, unsent_text(number, kept=room.unsent.is_kept, hosting=room.hosting, last=text))


def _first_time(room: JoinedRoom) -> str:
    return first_time_text(room.state.host_id, room.state.owner_id, invited=room.invited)


def _when(at: float) -> str:
    """A moment in the past, in s since 1970."""
    return moment_text(datetime.fromtimestamp(at), date.today())


def _print_note(text: str) -> None:
    put(sys.stderr, note_text(text))
