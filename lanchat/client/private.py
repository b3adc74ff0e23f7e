"""Seals private messages that are sent, and opens those that arrive. Pure."""

from lanchat.client.events import PrivateMessage
from lanchat.protocol.drafts import PrivateDraft
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Tell, Told
from lanchat.protocol.people import Owner, Who
from lanchat.protocol.sealed import CannotOpen, Sealer, can_seal_to
from lanchat.protocol.text import grouped
from lanchat.room.roster import Person


def on_the_wire(draft: PrivateDraft, sealer: Sealer) -> Tell | Who:
    """What is sent for a private message: the sealed message, or a question for the key of its recipient.

    Only a guest, who has no key, is sent the text as it is.
    """
    if is_addressed(draft):
        box, copy = sealer.seal(draft.key, draft.id, draft.text)
        return Tell(draft.id, draft.to, draft.nick, box, copy)
    if is_guest(draft.to):
        return Tell(draft.id, draft.to, draft.nick, text=draft.text)
    return Who(draft.id, draft.to, draft.nick)


def is_addressed(draft: PrivateDraft) -> bool:
    """Whether the key of the recipient is known."""
    return can_seal_to(draft.key, draft.to)


def addressed(draft: PrivateDraft, owner: Owner) -> PrivateDraft:
    """The draft with the key that the host was asked for. From now on it is meant for that key alone.

    Raises:
        ValueError: the host does not name the key of the member who is meant.
    """
    if draft.to not in ("", owner.to) or not can_seal_to(owner.key, owner.to):
        raise ValueError(f"The host does not show a key of {draft.nick} to seal the message to. Nothing was sent.")
    return PrivateDraft(draft.id, owner.to, draft.nick, draft.text, owner.key)


def opened(told: Told, sealer: Sealer) -> PrivateMessage:
    """A private message that the host has sent, as its reader gets it."""
    guest = told.to if told.by == sealer.id else told.by
    if not told.box and is_guest(guest) and sealer.id in (told.by, told.to):
        return _message(told, told.text)
    if not told.box:
        return _message(told, problem=f"not sealed, so the host may have written it: {told.text}")
    return _open(told, sealer)


def opened_again(told: Told, sealer: Sealer | None) -> PrivateMessage:
    """A private message from our own disk.

    Args:
        sealer: None: the identity is not on this machine.
    """
    if told.text and not told.box:  # to or from a guest, or from the days before messages were sealed
        return _message(told, told.text)
    if sealer is None:
        return _message(told, problem="your key is not on this machine")
    return _open(told, sealer)


def is_guest(id: str) -> bool:
    """Whether this is the id of somebody without a key."""
    return id != "" and not is_verified(id)


def unsealed_text(nick: str) -> str:
    """The warning before a private message to a guest.

    Args:
        nick: of the guest, without a tilde.
    """
    return f"~{nick} is a guest without a key: the host can read what you send, and so can everyone on this network."


def another_key_text(person: Person, rival: Person) -> str:
    """The warning before a private message to a nick that the host has given to two keys.

    Args:
        rival: the one who has, or first had, the same nick.
    """
    nick = person.nick
    return (
        f"There are two people called {nick}, or somebody is impersonating {nick}: the fingerprint was  "
        f"{grouped(rival.id)} , and is  {grouped(person.id)} ."
    )


def _open(told: Told, sealer: Sealer) -> PrivateMessage:
    try:
        return _message(told, sealer.open(told.by, told.to, told.id, told.box))
    except CannotOpen as error:
        return _message(told, problem=str(error))


def _message(told: Told, text: str = "", problem: str = "") -> PrivateMessage:
    return PrivateMessage(told.id, told.at, told.by, told.nick, told.to, told.to_nick, text, problem)
