"""What is said about a command that was misused, in lanchat's own words: what is wrong, and how it is right."""

from collections.abc import Sequence

import click

CLICKS_LEAST = 50  # cells of a row of help; in a narrower window the terminal would break the rows in words
LEAST = 24  # of ours


class ExplainedCommand(click.Command):
    """A command whose errors of usage all know what they are about, for `explained`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True  # they are refused here
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        if ctx.args and not (self.allow_extra_args or ctx.resilient_parsing):
            raise _TooManyWords(ctx)
        return rest

    def get_help(self, ctx: click.Context) -> str:
        import shutil  # with all its compressors; only for a page of help

        columns = shutil.get_terminal_size().columns
        if columns < CLICKS_LEAST + 2:
            ctx.terminal_width = max(LEAST, columns - 2)
        return super().get_help(ctx)


class _TooManyWords(click.UsageError):
    """There are words behind the last argument."""

    def __init__(self, ctx: click.Context) -> None:
        number = len(ctx.args)
        many = "is one word" if number == 1 else f"are {number} words"
        super().__init__(f"There {many} too many: {' '.join(ctx.args)}", ctx)


def explained(error: click.ClickException) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if not isinstance(error, click.UsageError) or (ctx := error.ctx) is None:
        return error.format_message(), ""
    more = f"(more: {ctx.command_path} --help)"
    usage = f"{' '.join(ctx.get_usage().split())} {more}"
    match error:
        case click.NoSuchOption():
            return f"There is no option {error.option_name}.", _other_option(ctx, error.option_name, more) or usage
        case click.BadOptionUsage():
            option = next((one for one in _options(ctx.command) if error.option_name in _names(one)), None)
            if option is None or option.is_flag:
                return f"The option {error.option_name} takes no value.", usage
            return (
                f"The option {error.option_name} needs a value.",
                f"Write {error.option_name} {option.metavar} {more}",
            )
        case click.MissingParameter(param=click.Argument(name=str(name)) as missing):
            required = [one for one in ctx.command.params if isinstance(one, click.Argument) and one.required]
            text = " hello" if any(one.name == "text" for one in ctx.command.params) else ""
            value = missing.type.choices[0] if isinstance(missing.type, click.Choice) else '"Room A"'
            example = f"For example: {ctx.command_path} {value}{text} {more}"
            return f"The {name} is missing.", example if len(required) == 1 else usage
        case click.MissingParameter(param=click.Option(opts=[name, *_], metavar=metavar)):
            return f"The option {name} is missing.", f"Write {ctx.command_path} {name} {metavar} {more}"
        case click.BadParameter():
            return f"Invalid value for {_place(error, ctx)}: {error.message}", usage
        case _TooManyWords():
            return error.message, _in_quotes(ctx) or usage
    return error.format_message(), usage


def nearest(typed: str, names: Sequence[str]) -> str:
    """The name that alone begins with what was typed, or looks like it most; "": none does."""
    import difflib  # only after a mistake

    begun = [name for name in names if len(typed.strip("-")) > 1 and name.startswith(typed)]  # "hist" is no host
    return begun[0] if len(begun) == 1 else next(iter(difflib.get_close_matches(typed, names, 1)), "")


def _other_option(ctx: click.Context, typed: str, more: str) -> str:
    """Which option was perhaps meant; "": nobody knows."""
    if near := nearest(typed, ["--help", *(name for option in _options(ctx.command) for name in _names(option))]):
        return f"Did you mean {near}? {more}"
    group = ctx.command if isinstance(ctx.command, click.Group) else click.Group()
    commands = {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
    behind = [name for name, one in commands.items() if one and any(typed in _names(own) for own in _options(one))]
    command = "join" if "join" in behind else next(iter(behind), "")
    return f"It goes behind a command: {ctx.command_path} {command} {typed} {more}" if command else ""


def _in_quotes(ctx: click.Context) -> str:
    """The command with all words in quotes, where these are probably one title; "": they are not."""
    arguments = [one for one in ctx.command.params if isinstance(one, click.Argument)]
    if [one.name for one in arguments] not in (["title"], ["room"]):
        return ""
    from lanchat.protocol.text import last_argument  # only after a mistake

    title = " ".join([str(ctx.params[str(arguments[0].name)]), *ctx.args])
    return f"A title of several words stands in quotes: {ctx.command_path} {last_argument(title)}"


def _place(error: click.BadParameter, ctx: click.Context) -> str:
    """Where the wrong value stood: `--port`, `LANCHAT_PORT`, `TITLE`."""
    if error.param_hint is not None:
        return error.param_hint if isinstance(error.param_hint, str) else error.param_hint[0]
    option = error.param
    if option is None:
        return "the command"
    if ctx.get_parameter_source(option.name or "") is click.core.ParameterSource.ENVIRONMENT:
        return str(option.envvar)
    return max(option.opts, key=len) if isinstance(option, click.Option) else option.human_readable_name


def _options(command: click.Command) -> list[click.Option]:
    return [option for option in command.params if isinstance(option, click.Option) and not option.hidden]


def _names(option: click.Option) -> list[str]:
    return [*option.opts, *option.secondary_opts]
