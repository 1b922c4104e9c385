"""The `bailiwick` command: one file per verb, imported when it is called."""

import gc
import importlib
import io
import os
import sys
from typing import Any, Final

import typer
import typer.core
import typer.main

from cli.errors import EXIT_UNUSABLE, TRACEBACK, CliError, as_defect, as_user_error

VERBS: Final = {
    "up": "bring a region up",
    "preview": "show what `up` would change",
    "refresh": "compare state with what exists",
    "destroy": "take a region down",
    "check": "judge stacks against the policy pack",
    "score": "show what a stack can show for a framework",
    "report": "write a check's report in another format",
    "waiver": "sign a waiver of a policy finding",
    "verify": "verify attestation evidence",
    "trust": "print every pinned trust anchor, and check it",
    "collateral": "fetch, list, check and carry the vendors' collateral",
    "evidence": "export or verify the signed evidence bundle",
    "graph": "draw the jurisdiction graph or the resources, before deployment",
    "new": "write a stack file that passes the pack",
    "stack": "list stacks; show or export their state",
    "sandbox": "serve the emulated clouds to the real engine",
    "catalog": "regions, machines and services, and what each jurisdiction can have",
}

_INTERRUPTED: Final = 130
"""What Typer makes of a KeyboardInterrupt."""

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
"""Python's own 700 means hundreds of collections while modules are imported, of which nothing is garbage."""


class _LazyGroup(typer.core.TyperGroup):
    """Imports the module of a verb only when that verb, or the list of all, is asked for: `verify` needs no Pulumi."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in VERBS:
            return None
        command = typer.main.get_command(importlib.import_module(f"cli.{cmd_name}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_LazyGroup,
    name="bailiwick",
    help="Sovereign AI regions as code, with the proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _bailiwick() -> None:
    """Sovereign AI regions as code, with the proof."""


def run() -> None:
    """Entry point: a user's mistake ends in one line and an exit code, never in a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not have every character of a report
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # a full disk shows here, or where nobody can catch it
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            sys.stderr.write("interrupted: what was done is in the state; run the command again to go on\n")
        raise
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        message = as_user_error(error)
        if message is None and os.environ.get(TRACEBACK):
            raise
        sys.stderr.write(f"error: {message or as_defect(error)}\n")
        sys.exit(error.code if isinstance(error, CliError) else EXIT_UNUSABLE)
    finally:
        gc.freeze()  # or the interpreter goes over every class of an SDK once more before it ends
