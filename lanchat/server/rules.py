"""The access rules and settings of a room, as its log and its copies keep them."""

import threading
from collections.abc import Callable, Mapping

from lanchat.errors import ProtocolError
from lanchat.protocol.guest_ports import GuestPorts
from lanchat.protocol.places import Rules, read_rules, write_rules
from lanchat.protocol.standby import MAX_LIST, State
from lanchat.server.items import WebChanged
from lanchat.server.term import Term


class KeptRules:
    """Knows the rules of now, and stores each change. Any thread.

    They are the bans, the lock and the guest link. What the log says takes precedence over `bans` and `locked`, because
    another computer may have hosted the room since. So each change goes into the log, even where the room cannot move.

    Args:
        kept: `Opened.state`.
        bans, locked: the rules that were given.
        keep: stores what `storage.moving` names; never waits.
        save_access: stores the bans and the lock at this computer as well; never waits.
    """

    def __init__(
        self,
        term: Term | None,
        kept: Mapping[str, bytes],
        bans: Mapping[str, str] | None,
        title: str,
        keep: Callable[[Mapping[str, bytes]], None],
        save_access: Callable[[dict[str, str], bool], None],
        *,
        locked: bool,
    ) -> None:
        given = term.rules if term is not None and term.rules is not None else Rules()
        rev = int(digits) if (digits := kept.get("rev", b"")).isdigit() else 0
        try:
            rules = read_rules(kept["rules"].decode())
        except (KeyError, UnicodeDecodeError, ProtocolError):
            rules = Rules(dict(bans or {}), locked)
        if rules.ticket:
            given = given.with_page(given.web, rules.ticket, rules.ticket_until)
        self._changing = threading.Lock()  # guards the rules and their revision
        self.rules = given.admitting(rules.bans, rules.locked).called(title)
        self.rev = max(rev, term.rev if term is not None else 0)
        self.keep, self._save_access = keep, save_access

    @property
    def state(self) -> State | None:
        """The rules as a copy gets them; None: so many people are banned that a copy cannot get them.

        A copy without them never counts as complete, so no computer hosts the room that would let banned people in.
        """
        rules = write_rules(self.rules)
        return State(self.rev, rules) if len(rules) <= MAX_LIST else None

    def change(self, bans: dict[str, str], locked: bool) -> None:
        """Note the new bans and the new lock."""
        self._save_access(bans, locked)
        with self._changing:
            self.rules = self.rules.admitting(bans, locked)
            self._store()

    def change_web(self, changed: WebChanged) -> None:
        """Note how browsers join from now on."""
        with self._changing:
            self.rules = self.rules.with_page(changed.open, changed.ticket, changed.ticket_until)
            self._store()

    def change_guest_ports(self, ports: GuestPorts, *, irc_password: bool) -> None:
        """Note which doors the owner has opened for people without lanchat."""
        changed = self.rules.with_guests(ports.plain or 0, ports.irc or 0, ports.irc_tls or 0, irc_password)
        with self._changing:
            if changed != self.rules:
                self.rules = changed
                self._store()

    def save(self) -> None:
        """Store the rules under a new revision."""
        with self._changing:
            self._store()

    def _store(self) -> None:
        self.rev += 1
        self.keep({"rules": write_rules(self.rules).encode(), "rev": str(self.rev).encode()})
