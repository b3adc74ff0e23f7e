"""Our messages that the host has not acknowledged yet, those of earlier runs among them."""

from lanchat.client.delivery import Delivery
from lanchat.protocol.drafts import Talk


class Unsent:
    """The messages of one room that wait to be sent. Any thread.

    Args:
        delivery: of the member who is in the room.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    @property
    def left_over(self) -> int:
        """The number of messages that earlier runs could not deliver, and that are sent now unless they are held."""
        return self._delivery.left_over

    @property
    def left_at(self) -> float:
        """When the last of them was left, in s since 1970."""
        return self._delivery.left_at

    @property
    def is_kept(self) -> bool:
        """Whether what is not sent at the end goes out when this person is in the room again."""
        return self._delivery.keeps_unsent

    @property
    def held(self) -> list[Talk]:
        """Those of them that are sent only after `release`."""
        return self._delivery.held

    def release(self) -> None:
        """Send what is held."""
        self._delivery.release()

    def discard(self) -> int:
        """Drop what is held and what is not sent yet. Returns how many messages these are."""
        return self._delivery.discard()

    def unheard(self, number: int) -> tuple[list[Talk], int]:
        """The newest messages that the host has not sent back yet, oldest first, and how many there are in all."""
        return self._delivery.unheard(number)
