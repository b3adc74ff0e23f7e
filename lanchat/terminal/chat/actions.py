"""Carries out what a person has typed: each intent has its place in the match below."""

from collections.abc import Callable
from datetime import date
from typing import assert_never

from lanchat.api.room import JoinedRoom
from lanchat.storage.home import home_folder
from lanchat.terminal.chat import commands, intents
from lanchat.terminal.chat.feed import Feed
from lanchat.terminal.chat.line import SYSTEM_INDENT
from lanchat.terminal.chat.line_screen import LineScreen
from lanchat.terminal.chat.mentioned import LISTED, mentions_text
from lanchat.terminal.chat.screen import Screen
from lanchat.terminal.chat.transfers import ChatTransfers
from lanchat.terminal.chat.who import WhoIsHere
from lanchat.terminal.invite import invitation
from lanchat.terminal.logged import Me, find_mentions
from lanchat.terminal.phrases import counted
from lanchat.terminal.web import web_command


class Actions:
    """Belongs to the thread that paints.

    Args:
        may_leave: asks a host whether the others shall lose the room.
    """

    def __init__(
        self,
        room: JoinedRoom,
        screen: Screen | LineScreen,
        feed: Feed,
        transfers: ChatTransfers,
        may_leave: Callable[[], bool],
    ) -> None:
        self._room = room
        self._screen = screen
        self._feed = feed
        self._transfers = transfers
        self._may_leave = may_leave
        self._who = WhoIsHere(room, feed)

    def carry_out(self, intent: intents.Intent) -> None:
        """Do what the person has typed.

        Raises:
            ValueError: this cannot be done, and why.
            LanchatError: the same, because of the disk, of too many messages that wait, or of a link that is lost.
        """
        match intent:
            case intents.Say() | intents.SayPrivately() | intents.Reply() | intents.ChangeNick() if self._feed.ended:
                raise ValueError("You are not in this room any more. Ctrl-C leaves.")
            case intents.Say(text, action):
                self._room.send(text, action=action)
            case intents.SayPrivately(nick, text):
                self._feed.private.tell(nick, text)
                if note := self._feed.private.absence(nick):
                    self._feed.note(note)
            case intents.Reply(text):
                self._feed.private.reply(text)
            case intents.ChangeNick(nick):
                self._feed.rename(nick)
            case intents.Away(text):
                self._room.away(text)
                self._feed.note("You are away. /back ends that, and so does leaving." if text else "You are back.")
            case intents.ShowHelp(wanted):
                self._feed.note(self._help(wanted))
            case intents.ShowWho(wanted):
                self._who.show(wanted)
            case intents.ShowMentions():
                self._feed.note(self._mentions())
            case intents.ShowInvite():
                if (invite := self._room.invite) is None:
                    raise ValueError("No other machine can reach this room at the moment.")
                self._feed.show(invitation(invite, self._screen.columns))
            case intents.Web(action, hours):
                web_command(action, hours, self._room, self._feed, self._screen.columns)
            case intents.Verify(nick):
                self._feed.verify(nick)
            case intents.Ignore(nick, on):
                self._feed.ignore(nick, on=on)
            case intents.Topic(""):
                topic = self._room.state.topic
                self._feed.note(f"Topic: {topic}" if topic else "There is no topic. The host sets one: /topic TEXT")
            case intents.Topic(text):
                self._room.moderate("topic", text="" if text == "-" else text)
            case intents.Moderate("close"):
                if self._room.close_for_all():
                    self._screen.leave()
            case intents.Moderate(action, nick):
                self._room.moderate(action, nick)
            case intents.Standbys(wanted):
                if answer := self._room.standbys(wanted):
                    self._feed.note(answer)
            case intents.Cohost(code):
                self._feed.note(self._room.cohost(code))
            case intents.Uncohost(nick):
                self._feed.note(self._room.uncohost(nick))
            case intents.Unsent(send):
                self._settle_unsent(send)
            case intents.SendFile(path):
                self._transfers.send(path)
            case intents.ShowFiles():
                self._transfers.show_all()
            case intents.FetchFile(file, folder):
                self._transfers.fetch(file, folder)
            case intents.CancelTransfer(file):
                self._transfers.cancel(file)
            case intents.RemoveFile(file):
                self._transfers.remove(file)
            case intents.Clear():
                self._feed.painted.clear()
                self._screen.print_again()
            case intents.Leave():
                if self._may_leave():
                    self._screen.leave()
            case intents.Unknown("search" | "history" | "find" | "grep" as name):
                raise ValueError(commands.search_hint(name, self._room.title, ephemeral=self._room.card.ephemeral))
            case intents.Unknown() | intents.Misused():
                raise ValueError(str(intent))
            case _:
                assert_never(intent)

    def _help(self, wanted: str) -> str:
        width = max(0, self._screen.columns - SYSTEM_INDENT)
        return commands.help_text(wanted, self._screen.KEYS, hosting=self._room.hosting, width=width)

    def _mentions(self) -> str:
        roster, card = self._feed.roster, self._room.card
        me = Me(roster.me, roster.nick, self._feed.words)
        found = {said.seq: said for said in self._feed.calls}  # the copy lags behind by a second
        if not card.ephemeral:
            found |= {said.seq: said for said in find_mentions(home_folder(), card.room, me, LISTED)}
        told = [said for _, said in sorted(found.items()) if said.by not in self._feed.ignored]
        return mentions_text(told[-LISTED:], me.names, date.today())

    def _settle_unsent(self, send: bool) -> None:
        if send:
            held = len(self._room.unsent.held)
            self._room.unsent.release()
            self._feed.note(f"Sending {counted(held, 'message')}." if held else "Nothing is held back.")
        else:
            dropped = self._room.unsent.discard()
            self._feed.note(f"{counted(dropped, 'message')} dropped." if dropped else "Nothing waits to be sent.")
