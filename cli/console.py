"""The terminal, or what stands in for one."""

import sys
from typing import Final

from rich.console import Console

_WIDTH_WITHOUT_TERMINAL: Final = 120


def open_console() -> Console:
    """A console on standard output; wide enough for tables when the output goes to a file or a log.

    Without emoji, which would write `bailiwick:cloud:` with a cloud.
    """
    return Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False, emoji=False)
