"""What starts a run of the tests may have told it to ignore signals, and programs would inherit that."""

import signal


def heed_signals() -> None:
    """Heed Ctrl-C and the end of a terminal, as do all programs that are started from now on.

    A shell without job control starts what runs in the background deaf to Ctrl-C. `nohup` does the same for the end of
    the terminal.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if (hangup := getattr(signal, "SIGHUP", None)) is not None and signal.getsignal(hangup) is signal.SIG_IGN:
        signal.signal(hangup, signal.SIG_DFL)
