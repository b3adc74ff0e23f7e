"""Choosing a room from the list, and talking in it."""

import sys
from contextlib import ExitStack
from functools import cache, partial
from typing import TYPE_CHECKING

import click

from lanchat.cli import options
from lanchat.errors import NoSuchRoom, Refused
from lanchat.terminal.options import ScreenOptions
from lanchat.terminal.stdio import is_dumb, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanchat.discovery.sighting import Listing
    from lanchat.doctor.hints import HintingFinder
    from lanchat.network.addresses import OwnAddresses
    from lanchat.terminal.prompts import Who


def pick_and_talk(
    nick: str | None,
    who: "Who",
    interfaces: tuple[str, ...],
    discard: bool,
    *,
    look: ScreenOptions,
    standby: int,
    accept: int = 0,
) -> int:
    """Show the list until the person leaves it. After each room, and after one that was not entered, it comes back.

    Args:
        nick: as given on the command line.
        standby: as for `join_target`.
        accept: as for `run_chat`, in each room of somebody else.
    """
    from lanchat.terminal.picker.numbered import pick_by_number
    from lanchat.terminal.picker.picker import Chosen, HostNew, pick
    from lanchat.terminal.prompts import ask_line, choose_nick

    @cache
    def on() -> "OwnAddresses":
        from lanchat.network.addresses import where  # an empty list is drawn without it

        return where(interfaces)

    code = 0
    while code == 0:
        with ExitStack() as until_chosen:
            search = partial(_search, on, until_chosen)
            choice = pick_by_number(search(), ask_line) if is_dumb() else pick(search)
        match choice:
            case Chosen(listing):
                try:
                    code = talk_in(listing, who, on(), discard=discard, look=look, standby=standby, accept=accept)
                except click.Abort:  # Ctrl-C at a question
                    put(sys.stderr, "")
                except (Refused, NoSuchRoom) as error:
                    from lanchat.terminal.wording import error_text

                    put(sys.stderr, *error_text(str(error), error.hint))
            case HostNew(title, secret):
                from lanchat.cli.host import host  # which imports this module

                named = (word for name in interfaces for word in ("--interface", name))
                bell = "--bell" if look.bell else "--no-bell"
                called = ["--nick", who.nick.text] if who.nick.given else []
                code = options.run(host, "lanchat host", [*called, *named, bell, "--", title], secret)
            case _:
                return 0
        who = who._replace(nick=choose_nick(nick, ask=True))  # a room may have accepted another one
    return code


def _search(on: "Callable[[], OwnAddresses]", until_chosen: ExitStack) -> "HintingFinder":
    """Begin to look for rooms, until this block ends. The imports are here because a list is drawn without them."""
    from lanchat.discovery.finder import Finder
    from lanchat.doctor.hints import HintingFinder
    from lanchat.storage.home import home_folder

    finder = until_chosen.enter_context(Finder(on()))
    return until_chosen.enter_context(HintingFinder(finder, on(), home_folder()))


def talk_in(
    listing: "Listing",
    who: "Who",
    on: "OwnAddresses",
    *,
    look: ScreenOptions,
    discard: bool = False,
    standby: int = 1,
    accept: int = 0,
) -> int:
    from lanchat.terminal.joining import join_listing
    from lanchat.terminal.run import Notices, run_chat, telling_successor

    notices = Notices()
    with join_listing(listing, who, on, notices, ask=True, discard=discard, standby=standby) as joined:
        with telling_successor(joined):
            return run_chat(joined, notices, look=look, accept=accept)


def wanted_twin(title: str, on: "OwnAddresses") -> "Listing | None":
    """Somebody else's room with this title, if it is open here and the person would rather join it.

    Raises:
        LanchatError: it is our own room, and open already.
    """
    from lanchat.terminal.twins import find_twin, twin_text

    twin = find_twin(title, on)
    if twin is None:
        return None
    if twin.ours:
        from lanchat.cli.returning import is_open_already

        raise is_open_already(title, twin.listing.endpoints)
    put(sys.stderr, f"{twin_text(twin.listing)}.")
    return twin.listing if click.confirm("Join it", default=True, err=True) else None
