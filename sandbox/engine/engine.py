"""The local engine: preview, up, refresh and destroy of one stack, in this process, in the emulated region."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.engine.deletion import delete_entries
from sandbox.engine.deploy import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Emit, Event, Finished, Message, Outcome, Planned, Verdict
from sandbox.engine.ledger import Ledger
from sandbox.engine.monitor import LocalLog, LocalMonitor
from sandbox.engine.policy import PolicyHost
from sandbox.engine.program import run_program
from sandbox.engine.project import Configuration, Project, load_configuration, load_project
from sandbox.engine.providers import Providers
from sandbox.engine.recovery import settle_pending
from sandbox.engine.refresh import refresh_entries
from sandbox.engine.run import Run
from sandbox.engine.secrets import Redactor
from sandbox.engine.state import StateFile, check_stack_name
from sandbox.engine.urn import STACK_TYPE
from sandbox.engine.wire import shown
from sandbox.provider import Provider
from sandbox.values import Secret, Value


def _ignore(_event: Event) -> None:
    pass


class LocalEngine:
    """Deploys one stack with the emulated `providers` (by package) and nothing else.

    `config` replaces the stack file's configuration (full keys, values as text). Every operation returns an `Outcome`,
    failed or not: errors for the user are in it, not raised. One run at a time in a process, because the working
    directory and `sys.path` are the process's.
    """

    def __init__(
        self,
        project_dir: Path,
        stack: str,
        *,
        providers: Mapping[str, Provider],
        state: StateFile,
        policy_pack: PolicyHost | None = None,
        on_event: Emit = _ignore,
        config: Mapping[str, str] | None = None,
    ) -> None:
        self._project_dir = project_dir
        self.stack = stack
        self.available = providers
        self._state = state
        self.policy = policy_pack
        self.listener = on_event
        self._config = config
        self.redactor = Redactor()

    def preview(self) -> Outcome:
        """What `up` would do. Nothing is changed, state included."""

        def work(session: _Session) -> None:
            session.ledger.writable = False
            session.settle()
            session.run_program(preview=True)

        return self._operate(work)

    def up(self) -> Outcome:
        """Make the stack what the program says. A preview goes first: if it fails, nothing is touched."""

        def work(session: _Session) -> None:
            session.settle()
            session.run_program(preview=True)
            if not session.run.failures:
                session.run_program(preview=False, foreseen=frozenset(session.run.verdicts))

        return self._operate(work)

    def refresh(self) -> Outcome:
        """Make state say what the cloud has. The program is not run."""

        def work(session: _Session) -> None:
            session.settle()
            refresh_entries(session.run, session.providers)
            session.run.outputs = _stack_outputs(session.ledger)

        return self._operate(work)

    def destroy(self) -> Outcome:
        """Delete everything, what depends on something first. The program is not run."""

        def work(session: _Session) -> None:
            session.settle()
            entries = session.ledger.entries()
            protected = [entry.state.urn for entry in entries if entry.state.protect]
            if protected:
                raise EngineError(
                    f"nothing was deleted, protected: {', '.join(protected)}; set protect=False, run up, then destroy"
                )
            states = {entry.state.urn: entry.state for entry in entries if not entry.state.delete}
            delete_entries(session.run, entries, lambda state: session.providers.of_resource(state, states))

        return self._operate(work)

    def _operate(self, work: "Callable[[_Session], None]") -> Outcome:
        began = time.perf_counter()
        session: _Session | None = None
        error: str | None = None
        try:
            check_stack_name(self.stack)
            project = load_project(self._project_dir)
            configuration = self._configuration(project)
            with self._state.locked() as ledger:
                session = _Session(self, project, configuration, ledger)
                try:
                    work(session)
                finally:
                    ledger.fold()
        except EngineError as failure:
            error = self.redactor.clean(str(failure))
            self.listener(Message("error", error))
        run = session.run if session else None
        error = (run.error() if run else None) or error
        outcome = Outcome(
            ok=error is None,
            changes=run.changes if run else Counter(),
            outputs=run.outputs if run else {},
            verdicts=tuple(run.verdicts) if run else (),
            duration_s=time.perf_counter() - began,
            error=error,
            began=session is not None,
        )
        self.listener(Finished(outcome))
        return outcome

    def _configuration(self, project: Project) -> Configuration:
        if self._config is not None:
            return Configuration(self._config)
        configuration = load_configuration(project, self.stack, self._state.passphrase)
        for key in configuration.secret_keys:
            self.redactor.learn(Secret(configuration.values[key]))
        return configuration


class _Session:
    """One operation while it holds the stack. `run` is its latest pass."""

    def __init__(self, engine: LocalEngine, project: Project, configuration: Configuration, ledger: Ledger) -> None:
        self._engine = engine
        self._project = project
        self._configuration = configuration
        self.ledger = ledger
        self.providers = Providers(engine.available, configuration)
        self.run = self._new_run(preview=False)

    def settle(self) -> None:
        """Find out what became of operations that the last run had begun when it was killed."""
        settle_pending(self.run, self.providers)

    def run_program(self, *, preview: bool, foreseen: frozenset[Verdict] = frozenset()) -> None:
        self.run = self._new_run(preview=preview, foreseen=foreseen)
        deployment = Deployment(self.run, self.providers, self._engine.policy)
        monitor = LocalMonitor(self.run, deployment, self._project.directory)
        try:
            run_program(
                self._project,
                self._engine.stack,
                self._configuration,
                monitor=monitor,
                engine=LocalLog(self.run),
                preview=preview,
                deployed=bool(self.ledger.entries()),
                begin=deployment.begin,
                finish=deployment.finish,
            )
        except Exception:
            deployment.abandon()
            raise
        finally:
            deployment.end()
            monitor.close()
        if preview:
            self._engine.listener(Planned(tuple(self.run.steps)))

    def _new_run(self, *, preview: bool, foreseen: frozenset[Verdict] = frozenset()) -> Run:
        engine = self._engine
        return Run(engine.stack, self._project.name, preview, self.ledger, engine.redactor, engine.listener, foreseen)


def _stack_outputs(ledger: Ledger) -> dict[str, Value]:
    for state in ledger.resources():
        if state.type == STACK_TYPE:
            return {key: shown(value) for key, value in state.outputs.items()}
    return {}
