"""Checks that a host is the one that a person means: by its room, and by its key and the keys that are known."""

from lanchat.api.targets import Target
from lanchat.client.reconnect import SameRoom
from lanchat.discovery.sighting import Listing
from lanchat.errors import HostKeyChanged, LanchatError, NoSuchRoom
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import first_contact
from lanchat.protocol.text import safe_text
from lanchat.storage.known_hosts import KeyStatus, KnownHosts
from lanchat.storage.known_papers import KnownPapers
from lanchat.threads import now_ms

# Anybody can put a row into the list, so it must not lead to the advice to forget a known key.
_ASK_FOR_INVITE = "Anybody can show such a room. Ask its owner for an invite, which names the right key."


class OtherHost(LanchatError):
    """Another room or another key answers at the address of the host that was named."""


class OtherRoom(OtherHost, NoSuchRoom):
    """Another room answers there."""


class OtherKey(OtherHost, HostKeyChanged):
    """The room there, or another one, shows another key."""


class HostCheck:
    """Decides whether a host is the right one, before our hello is sent."""

    def __init__(self, target: Target, known_hosts: KnownHosts, known_papers: KnownPapers | None = None) -> None:
        self.key_status: KeyStatus = "new"
        self.room_id = ""  # of the host that was checked last
        self.fingerprint = ""  # of the owner's key, which is the host's unless its papers name another
        self._target = target
        self._known_hosts, self._known_papers = known_hosts, known_papers

    def __call__(self, card: Card, host_key: bytes) -> None:
        """Check the room and the key of a host.

        Raises:
            OtherRoom: another room answers there.
            OtherKey: the key is not the one in the invite or in the list.
            HostKeyChanged: the key is not the one that the room showed before.
            Refused: it keeps a copy of the room and does not host it, or it asks for no password.
        """
        if self._target.room_id is not None and card.room != self._target.room_id:
            raise OtherRoom(
                f'A different room answers there now ("{safe_text(card.title)}").', "Look again: lanchat rooms"
            )
        key = fingerprint(first_contact(card, host_key, now_ms(), *self._known(card, host_key)).owner)
        if not key.startswith(self._target.pin):
            raise self._wrong_pin()
        try:
            self.key_status = self._known_hosts.check(card.room, key, card.title)
        except HostKeyChanged as error:
            if self._target.listed and not self._known_hosts.hosts(card.room):
                raise HostKeyChanged(str(error), _ASK_FOR_INVITE) from None
            raise
        self.room_id, self.fingerprint = card.room, key

    def same_room(self, card: Card, host_key: bytes) -> SameRoom:
        """Trusts this room from now on, and remembers who may host it."""
        papers = self._known_papers
        if papers is None:
            return SameRoom(card, host_key, now_ms)
        known, ahead = self._known(card, host_key)
        return SameRoom(card, host_key, now_ms, known=known, ahead=ahead, learned=papers.keep)

    def _known(self, card: Card, host_key: bytes) -> tuple[bytes, int]:
        """What earlier runs have seen: the newest list of standbys of the owner that this card names, and by how many
        ms the owner's clock is ahead of ours."""
        papers = self._known_papers
        if papers is None or not (known := papers.newest(card.room, card.owner or host_key)):
            return b"", 0
        return known, papers.ahead(card.room)

    def _wrong_pin(self) -> OtherKey:
        if self._target.listed:
            return OtherKey(
                "The machine that answers now has another key than the list showed. Somebody may be impersonating the "
                "host.",
                "Look again: lanchat rooms",
            )
        return OtherKey(
            "The machine there does not have this invite's key. Somebody may be impersonating the host.",
            "Ask for a new invite over a channel you trust.",
        )

    @property
    def wanted_room(self) -> str:
        """The id of the room that may be looked for if its address is dead: that of the host that was checked last, or
        of an invite; empty: none. A row of the list has just been looked for."""
        return self.room_id or ("" if self._target.listed else self._target.room_id or "")

    def is_host(self, listing: Listing) -> bool:
        """Whether a row of the list belongs to the host that was checked last, or before that to the one meant."""
        if self.fingerprint:
            return (listing.room_id, listing.fingerprint) == (self.room_id, self.fingerprint)
        return listing.room_id == self._target.room_id and listing.fingerprint.startswith(self._target.pin)

    def remember(self, card: Card) -> None:
        """Store the key: from now on the room must show it."""
        self._known_hosts.remember(card.room, self.fingerprint, card.title)
