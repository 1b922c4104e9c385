"""Runs a stack's program in this process, against a monitor that is an object instead of an address.

`pulumi.runtime.Settings` takes any object as its monitor and engine; `set_mocks` uses the same hook, but it also
registers and finishes a root stack of its own, so that exports and `pulumi.run` would be lost. A run leaves nothing
behind: settings, configuration and root resource live in a copy of the context, the event loop is the run's own,
the working directory, `sys.path` and `sys.argv` are put back, and modules that the program imported from its own
directory are forgotten, so that the next run of any stack starts afresh.
"""

import asyncio
import contextlib
import contextvars
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
import pulumi.runtime.config
import pulumi.runtime.settings

from sandbox.engine.errors import EngineError, ProgramError
from sandbox.engine.lazy_packages import lazy_packages
from sandbox.engine.project import Configuration, Project
from sandbox.engine.shortcuts import quick_stack_traces, without_aliases


def run_program(
    project: Project,
    stack: str,
    configuration: Configuration,
    *,
    monitor: Any,
    engine: Any,
    preview: bool,
    deployed: bool,
    begin: Callable[[], None],
    finish: Callable[[], None],
) -> None:
    """Run the program to its end, its registrations included, between `begin` and `finish`, which have the same
    configuration in sight: it is what policies read. `deployed`: the stack has resources, which aliases may name.
    Raises `ProgramError` with the user's own line, or the `EngineError` that the monitor raised."""
    if not (project.main / "__main__.py").is_file():
        raise ProgramError(f"no program: {project.main / '__main__.py'} does not exist")
    settings = pulumi.runtime.Settings(
        project=project.name,
        stack=stack,
        monitor=monitor,
        engine=engine,
        dry_run=preview,
        organization="organization",
        root_directory=str(project.directory),
    )
    context = contextvars.copy_context()
    context.run(_configure, settings, configuration)
    context.run(begin)
    context.run(_run, project, deployed)
    context.run(finish)


def _configure(settings: pulumi.runtime.Settings, configuration: Configuration) -> None:
    pulumi.runtime.settings.ROOT.set(None)
    pulumi.runtime.configure(settings)
    pulumi.runtime.config.set_all_config(dict(configuration.values), sorted(configuration.secret_keys))


def _run(project: Project, deployed: bool) -> None:
    async def program() -> None:
        if not deployed:
            pulumi.runtime.register_stack_transformation(without_aliases)
        runpy.run_path(str(project.main / "__main__.py"), run_name="__main__")
        await _registrations()

    with _as_main(project.main), lazy_packages(), quick_stack_traces(), asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(_ignore_unobserved)
        try:
            runner.run(pulumi.runtime.run_in_stack(program))
        except (EngineError, KeyboardInterrupt):
            raise
        except SystemExit as error:
            if error.code not in (None, 0):
                raise ProgramError(f"the program exited with {_one_line(error.code)}") from error
        except BaseException as error:
            if (cause := _engine_error(error)) is not None:
                raise cause from error
            raise ProgramError(_describe(error, project.directory)) from error


async def _registrations() -> None:
    """Wait for what the program has registered, all at once.

    The SDK would do it afterwards, but it then waits for the first of all pending outputs, again and again, which for
    1,000 resources costs more than everything else together.
    """
    calls = pulumi.runtime.settings.SETTINGS.rpc_manager
    await asyncio.sleep(0)
    while pending := [call for call in calls.rpcs if not call.done()]:
        await asyncio.wait(pending)
        await asyncio.sleep(0)


def _engine_error(error: BaseException) -> EngineError | None:
    """The SDK wraps what a monitor raises, sometimes in itself; the cause is what the user must see."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        if isinstance(cause, EngineError):
            return cause
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    return None


def _describe(error: BaseException, directory: Path) -> str:
    """`stacks/__main__.py:12: ValueError: …`: the innermost line of the project's own code, then what was raised."""
    if isinstance(error, pulumi.RunError):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename, directory)}:{error.lineno}: {type(error).__name__}: {error.msg}"
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(directory)
        and not Path(frame.filename).is_relative_to(Path(__file__).parent)
        and "site-packages" not in frame.filename
    ]
    if not own:
        return f"{type(error).__name__}: {_one_line(error)}"
    return f"{_short(own[-1].filename, directory)}:{own[-1].lineno}: {type(error).__name__}: {_one_line(error)}"


def _one_line(said: object) -> str:
    return " ".join(str(said).split())


def _short(filename: str, directory: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else filename


@contextlib.contextmanager
def _as_main(directory: Path) -> Iterator[None]:
    """As `python <directory>` would have it: working directory, first entry of `sys.path`, `sys.argv`."""
    before, path, argv = Path.cwd(), list(sys.path), list(sys.argv)
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    sys.argv = [str(directory)]
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        sys.argv = argv
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and name != "__main__" and Path(file).is_relative_to(directory):
                del sys.modules[name]


def _ignore_unobserved(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """The SDK leaves futures unobserved when a program fails; the failure itself is reported."""
