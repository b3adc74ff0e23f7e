"""Makes a standby the host of its room, from its copy, its ports and the papers."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from lanchat.api.doors import Wishes, note_ports, open_guest_doors
from lanchat.api.hosting import Hosting
from lanchat.api.web import WebAccess, await_browsers
from lanchat.client.keeper import Promotion
from lanchat.errors import ProtocolError
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.limits import file_limits, limits_for
from lanchat.protocol.messages import Card
from lanchat.protocol.places import Rules, read_rules
from lanchat.protocol.timeline import index_of, term_of
from lanchat.protocol.timing import Timing
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.server.standby import StandbyPort
from lanchat.server.term import Term
from lanchat.storage.blobs import Blobs
from lanchat.storage.identity import Identity
from lanchat.storage.replica import Replica
from lanchat.storage.retention import parse_retention
from lanchat.storage.rooms import FILES
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.terms import note_term

FILES_OF_STANDBY = 1 << 30  # bytes of files that a standby's computer takes while it hosts: a laptop is no archive


def rules_of(replica: Replica) -> Rules:
    """Read the rules of the room from its copy.

    Raises:
        ProtocolError: they cannot be read. Then this computer must not host the room: who was banned would come in.
    """
    try:
        return read_rules(replica.state["rules"].decode())
    except (KeyError, UnicodeDecodeError):
        raise ProtocolError("The rules of the room cannot be read.") from None


def host_copy(
    promotion: Promotion,
    rules: Rules,
    card: Card,
    identity: Identity,
    port: StandbyPort,
    *,
    nick: str,
    password: str | None,
    on: OwnAddresses,
    wishes: Wishes,
    yielded: Callable[[], None],
    on_problem: Callable[[str], None],
    timing: Timing,
) -> Hosting:
    """Host the room of this copy. The copy is closed, and so is the standby's port: its listeners become the host's.

    Args:
        rules: of the room, as the copy has them.
        card: of the last host.
        wishes: of the person at this computer.
        yielded: called once another computer hosts the room.

    Raises:
        LanchatError: it cannot.
    """
    replica = promotion.replica
    replica.finish()
    index = index_of(promotion.epoch)
    ours = index == OWNER_INDEX
    rules = wishes.applied(rules) if ours else rules
    most = rules.files if ours else min(rules.files, FILES_OF_STANDBY)
    log = _log_of(promotion, rules, on_problem, timing)
    with ExitStack() as undo:
        blobs = Blobs(replica.path.parent / FILES, file_limits(most)) if most else None
        opened = log.open()  # before the port is taken over: if the disk is full, the standby stays and says so
        undo.callback(log.close)
        undo.callback(port.close)
        web = WebAccess(on, has_password=card.password, names=wishes.web_names)
        if rules.web:
            await_browsers(port, identity, on, lambda: "", wishes.doors.get("web_port") or 0)
        listeners = port.release()
        for listener in listeners:
            undo.callback(listener.close)
        doors = [native_door()]
        if len(listeners) > len(doors):  # what serves browsers takes a while to load, and everybody waits
            doors.append(web.option(None))
        try:
            host = Host(
                card.title,
                identity,
                nick=nick,
                room_id=promotion.papers.room,
                doors=doors,
                on=on,
                password=password,
                log=log,
                opened=opened,
                bans=rules.bans,
                locked=rules.locked,
                blobs=blobs,
                term=_term_of(promotion, rules),
                listeners=listeners,
                yielded=yielded,
                limits=limits_for(rules.people),
                timing=timing,
            )
        except ValueError as error:
            raise _unfit(error) from None
        undo.callback(host.close)
        told = open_guest_doors(host, rules, wishes)
        if ours:
            note_ports(host, wishes.irc_password)
        host.start()
        undo.pop_all()
    if told:
        on_problem(told)
    disk = [*([blobs] if blobs is not None else []), replica]
    web.belong_to(host)
    web.publish()
    return Hosting(host, promotion.papers.owner, on, disk, announce=not rules.hidden, web=web)


def _log_of(promotion: Promotion, rules: Rules, on_damage: Callable[[str], None], timing: Timing) -> SqliteLog:
    """The log of the room, in the file of the copy.

    Raises:
        ProtocolError: the retention is invalid.
    """
    try:
        keep = parse_retention(rules.keep)
    except ValueError as error:
        raise _unfit(error) from None
    return SqliteLog(
        promotion.replica.path,
        term=term_of(promotion.epoch),
        index=index_of(promotion.epoch),
        new_term=True,
        keep=keep,
        checked=promotion.replica.is_sound,
        on_damage=on_damage,
        timing=timing,
    )


def _term_of(promotion: Promotion, rules: Rules) -> Term:
    """The term that begins with this host."""
    replica, papers = promotion.replica, promotion.papers
    return Term(
        papers.owner,
        papers.delegation,
        index_of(promotion.epoch),
        promotion.before,
        promotion.reason,
        promotion.roster,
        rules,
        replica.held.rev,
        promotion.places,
        partial(note_term, replica.path),
    )


def _unfit(error: ValueError) -> ProtocolError:
    """The error for a room whose last host gave it an invalid title or retention."""
    return ProtocolError(f"The room cannot be hosted as it is: {error}")
