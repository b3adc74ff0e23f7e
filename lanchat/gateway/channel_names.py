"""The names of the IRC channels that stand for the rooms of this network. Pure."""

from collections.abc import Iterable, Mapping

from lanchat.protocol.irc.line import cut, lowered
from lanchat.protocol.irc.names import MAX_CHANNEL, channel_of

_DIGITS = 4  # of the room id, that tell a second room of a title from the first


def channel_names(rooms: Iterable[tuple[str, str]], taken: Mapping[str, str]) -> dict[str, str]:
    """The channel of each room, by its id.

    Args:
        rooms: id and title, those that this person knows first: of two with one title the first has the short name.
        taken: room ids by the channels that they have already, which they keep.
    """
    found = {room: channel for channel, room in taken.items()}
    used = {lowered(channel): room for channel, room in taken.items()}
    for room, title in rooms:
        if room in found:
            continue
        name = channel_of(title)
        if used.get(lowered(name), room) != room:
            name = cut(name, MAX_CHANNEL - _DIGITS - 1).decode() + f"-{room[:_DIGITS]}"
        if used.get(lowered(name), room) == room:
            found[room] = name
            used[lowered(name)] = room
    return found
