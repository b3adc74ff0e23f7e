"""The commands that a script uses: send, tail, ask."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import click

from lanchat.cli import options
from lanchat.cli.completion import titles
from lanchat.cli.joining import ROOM, JoinOptions, join_options, joined, who_joins
from lanchat.cli.usage import ExplainedCommand
from lanchat.threads import now_ms

GIVEN = 50  # events that a host sends to who comes in
MOST = 1000  # messages of the past
LOOK_BACK = 10_000  # events, at most: so many a host has at hand
EACH = 4  # events for one message, since people and scripts come and go between


class _RunsCommand(ExplainedCommand):
    """A command of which everything behind one option is another program with its arguments, whatever is in them."""

    last = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self.last in args:
            where = args.index(self.last)
            command = args[where + 1 :]
            ctx.obj = command[1:] if command[:1] == ["--"] else command
            if not ctx.resilient_parsing:  # a shell that completes has no use for an error
                self._check(command, ctx)
            args = args[: where + 1]
        return super().parse_args(ctx, args)

    def _check(self, command: list[str], ctx: click.Context) -> None:
        if not ctx.obj:
            raise click.UsageError(f"Which program? {self.last} CMD [ARG]...", ctx)
        if command[0].startswith("-") and command[0] != "--":
            raise click.UsageError(
                f"{command[0]} stands where the program belongs, behind {self.last}. Put the options before "
                f"{self.last}, and the program right behind it: {self.last} -- CMD [ARG]...",
                ctx,
            )


class _Send(_RunsCommand):
    last = "--run"


@click.command(cls=_Send)
@click.argument("room", metavar=ROOM, shell_complete=titles)
@click.argument("text", nargs=-1, metavar="[TEXT]...")
@options.flag("--whole", help="All of stdin is one message, instead of one for each line.")
@options.option("--to", metavar="NICK", help="Send it to this person alone, sealed.")
@options.flag("--me", "action", help="Send it as an action, as /me does.")
@options.option(
    "--id", metavar="ID", help="Give the message this id, so that a retry is safe: the room takes each of yours once."
)
@options.option(
    "--file",
    "files",
    type=click.Path(),
    multiple=True,
    metavar="PATH",
    help="Send this file, or this folder as a ZIP, instead of a message. May be repeated.",
)
@join_options
@options.as_json
@click.option(
    "--run",
    is_flag=True,
    help="(last: --run -- CMD [ARG]...) Run CMD and say how it ended; the exit code is that of CMD.",
)
@click.pass_context
def send(
    context: click.Context,
    room: str,
    text: tuple[str, ...],
    whole: bool,
    to: str | None,
    action: bool,
    id: str | None,
    files: tuple[str, ...],
    how: JoinOptions,
    as_json: bool,
    run: bool,
) -> int:
    """Say TEXT in a ROOM; without TEXT, say each line of stdin. With --file, send files.

    ROOM is a title, an address HOST[:PORT] or an invite.

    Exit code 0: the host has stored it all. Others can fetch a file from its first byte on.
    6: the connection was lost, and it may have been said; with --id you can send it again. What an earlier join could
    not send is not sent, and nothing is left for a later one.

    \b
    lanchat send "Room A" deployed 1.4 --nick build
    make 2>&1 | lanchat send "Room A" --whole --to ann
    lanchat send "Room A" --run -- make test
    """
    from lanchat.protocol.ids import clean_message_id
    from lanchat.terminal.piped import Line
    from lanchat.terminal.send import Sending, SendOptions
    from lanchat.terminal.stdio import read_lines

    command: list[str] = context.obj if run else []
    if len([one for one in (text, whole, run, files) if one]) > 1:
        raise click.UsageError("Only one of TEXT, --whole, --file and --run can say what to send.")
    if files:
        if action or id is not None:
            raise click.UsageError("A file has neither --me nor --id.")
        return _send_files(room, files, to, how, as_json=as_json)
    if to is not None and action:
        raise click.UsageError("A private message cannot be an action.")
    if id is not None:
        options.checked(clean_message_id, id, "--id")
        if not (text or whole or run):
            raise click.UsageError("An --id is for one message: give TEXT, --whole or --run.")
    who = who_joins(how)  # what is wrong is said before CMD runs
    code = 0
    texts: Iterator[Line]
    if text:
        texts = iter([_message(" ".join(text), "TEXT")])
    elif whole:
        texts = iter([_message(_stdin(), "stdin")])
    elif run:
        from lanchat.terminal.runner import run_command

        outcome = run_command(command)
        code, texts = outcome.code, iter([outcome.text])
        how = replace(how, began=time.monotonic())  # the time of CMD is its own
    else:
        texts = read_lines(sys.stdin.fileno())
    with joined(room, how, "nothing", who) as joined_room:
        sending = Sending(joined_room, SendOptions(to, action, id, as_json), how.deadline, sys.stdout, sys.stderr)
        return sending.run(texts) or code


def _send_files(room: str, files: tuple[str, ...], to: str | None, how: JoinOptions, *, as_json: bool) -> int:
    from lanchat.terminal.transfer import send_files

    with joined(room, how, "nothing") as joined_room:
        joined_room.deafen()
        return send_files(
            *(joined_room, files), to=to, deadline=how.deadline, as_json=as_json, out=sys.stdout, talk=sys.stderr
        )


class _Tail(_RunsCommand):
    last = "--exec"


@click.command(cls=_Tail)
@click.argument("room", metavar=ROOM, shell_complete=titles)
@options.option(
    "-n",
    "--number",
    type=options.Number(0, MOST),
    metavar="N",
    help=f"Show this many messages of the past, {MOST} at most (default 20, with --since {MOST}, with --exec 0).",
)
@options.option("--since", metavar="AGE", help="Of the past, only the last 30m, 2h or 7d.")
@options.flag("-f", "--follow", help="Go on with the messages that come, until the room is gone (exit code 6).")
@join_options
@options.as_json
@click.option(
    "--exec",
    "execute",
    is_flag=True,
    help="(last: --exec CMD [ARG]...) Run CMD for each message, one at a time and without a shell: the text is its "
    "stdin and LANCHAT_MSG_TEXT; _NICK, _ID, _ROOM, _VERIFIED, _BOT and _PRIVATE tell the rest.",
)
@click.pass_context
def tail(
    context: click.Context,
    room: str,
    number: int | None,
    since: str | None,
    follow: bool,
    how: JoinOptions,
    as_json: bool,
    execute: bool,
) -> int:
    """Show the last messages of a ROOM, and with -f those that follow.

    ROOM is a title, an address HOST[:PORT] or an invite.

    Others see you in the room: nobody listens unseen. Messages stand on a line each, as `lanchat join` prints them.

    \b
    lanchat tail "Room A" -n 5
    lanchat tail "Room A" --since 2h
    lanchat tail "Room A" -f --exec notify-send "Room A"
    """
    from lanchat.storage.retention import parse_age
    from lanchat.terminal.tail import Tail, TailOptions

    command: list[str] = context.obj if execute else []
    if command and as_json:
        raise click.UsageError("--exec prints nothing, so --json means nothing with it.")
    age = options.checked(parse_age, since, "--since") if since else None
    start = 0 if age is None else now_ms() - age
    if number is None:
        number = MOST if since else 0 if command else 20
    look_back = min(LOOK_BACK, EACH * number) if number > GIVEN else 0
    with joined(room, how, "history", look_back=look_back) as joined_room:
        shown = TailOptions(number, start, follow, as_json, tuple(command))
        return Tail(joined_room, shown, how.deadline, sys.stdout, sys.stderr).run()


@click.command(cls=ExplainedCommand)
@click.argument("room", metavar=ROOM, shell_complete=titles)
@click.argument("question")
@options.option(
    "--from",
    "wanted",
    metavar="NICK|FINGERPRINT",
    help="Only this person may answer. A nick stands for the key of who has it when you ask.",
)
@options.option("--choice", metavar="A,B", help="The answers that count (default yes,no). The first gives exit code 0.")
@options.flag("--open", "is_open", help="Take any text as an answer.")
@options.option("--private", metavar="NICK", help="Ask only this person, by a private message.")
@options.flag("--plain", help="Guests, who have no key, may answer as well.")
@join_options
@options.as_json
def ask(
    room: str,
    question: str,
    wanted: str | None,
    choice: str | None,
    is_open: bool,
    private: str | None,
    plain: bool,
    how: JoinOptions,
    as_json: bool,
) -> int:
    """Ask a QUESTION in a ROOM, and print the answer.

    ROOM is a title, an address HOST[:PORT] or an invite.

    The question has a code, such as k3, and an answer begins with it, as in "k3 yes", or with your nick, as in
    "@bot yes" or "bot: yes". In a private message, or from the person of --from, "yes" alone is enough. Only members
    with a key count, and programs only if --from names them.

    Exit code 0: the first choice, which is yes, or any answer with --open. 7: another choice. 124: nobody answered.

    \b
    lanchat ask "Room A" "deploy 1.4?" --from ann --timeout 600 && ./deploy
    lanchat ask "Room A" "which port?" --open
    """
    from lanchat.terminal.ask import Asking, AskOptions

    if is_open and choice:
        raise click.UsageError("An --open question has no --choice.")
    if private and wanted:
        raise click.UsageError("Only the person of --private may answer, so leave --from out.")
    choices = () if is_open else tuple(one.strip() for one in (choice or "yes,no").split(","))
    if not all(choices) or len(set(choices)) < len(choices):
        raise click.BadParameter("Separate different answers by commas.", param_hint="--choice")
    _message(question, "QUESTION")
    asked = AskOptions(question, choices, wanted, private, plain, as_json, how.timeout)
    with joined(room, how, "history") as joined_room:
        return Asking(joined_room, asked, how.deadline, sys.stdout, sys.stderr).run()


def _message(text: str, where: str) -> str:
    from lanchat.protocol.text import clean_text

    return options.checked(clean_text, text, where)


def _stdin() -> str:
    """All of stdin, or at least so much that it is too long for a message."""
    from lanchat.protocol.text import MAX_TEXT
    from lanchat.terminal.stdio import read_some

    data = b""
    while len(data) <= MAX_TEXT and (more := read_some(sys.stdin.fileno())):
        data += more
    return data.decode(errors="replace").rstrip("\r\n")
