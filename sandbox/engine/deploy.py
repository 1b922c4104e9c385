"""Turns what a program registers into operations on the cloud, or, in a preview, foretells them.

The SDK registers from several threads and waits for what a resource needs before it registers it, so that independent
resources are deployed at the same time and order takes care of itself. A resource that fails or is refused is answered
as failed; the SDK then leaves its outputs unknown, and whatever depends on it is skipped.
"""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace

from sandbox.engine.deletion import delete_entries
from sandbox.engine.errors import EngineError, PolicyError
from sandbox.engine.events import Op
from sandbox.engine.goal import Goal
from sandbox.engine.ledger import Entry
from sandbox.engine.operations import Operations
from sandbox.engine.plan import Decision, component_changes, decide, keep_ignored, replaced_along, step_for
from sandbox.engine.policy import PolicyHost
from sandbox.engine.providers import Providers, new_provider_id, with_internal
from sandbox.engine.resource import ResourceState
from sandbox.engine.run import Run, StepError
from sandbox.engine.secrets import mark_secrets, plaintexts_of
from sandbox.engine.urn import STACK_TYPE, former_urns, is_provider, make_urn, package_of
from sandbox.engine.wire import for_provider, shown
from sandbox.provider import Properties, Provider
from sandbox.values import contains_unknown


class Deployment:
    """One pass of a program over the deployed stack. Thread-safe."""

    def __init__(self, run: Run, providers: Providers, policy: PolicyHost | None) -> None:
        self._run = run
        self._providers = providers
        self._policy = policy
        self._operations = Operations(run)
        self._lock = threading.Lock()
        self._default_lock = threading.Lock()
        entries = run.ledger.entries()
        self._deployed = {entry.state.urn for entry in entries}
        self._unregistered = {entry.state.urn: entry for entry in entries if not entry.state.delete}
        self._condemned = [entry for entry in entries if entry.state.delete]
        self._registered: dict[str, Entry | None] = {}
        self._failed: set[str] = set()
        self._former: dict[str, str] = {}
        self._deleted_first: set[str] = set()

    def register(self, goal: Goal) -> ResourceState | None:
        """Deploy one resource. None when it failed or was skipped; why is in the run."""
        return self._handle(goal, self._deploy)

    def read(self, goal: Goal, identity: str) -> ResourceState | None:
        """Look at a resource that the stack does not own. None as for `register`."""

        def look(goal: Goal, old: Entry | None) -> Entry:
            state, provider = self._with_provider(goal)
            state = replace(state, id=identity)
            self._judge(state)
            with self._run.step(step_for("read", state)):
                return self._operations.read(provider, state, old)

        return self._handle(goal, look)

    def set_outputs(self, urn: str, outputs: Properties) -> None:
        """The outputs of a component or of the stack. Those of a run that failed half-way are not all known, and then
        the ones that state has stay."""
        self._run.redactor.learn(outputs)
        with self._lock:
            entry = self._registered.get(urn)
        if entry is None or (contains_unknown(outputs) and not self._run.preview):
            return
        changed = self._operations.record(replace(entry.state, outputs=outputs), entry)
        with self._lock:
            self._registered[urn] = changed
        if entry.state.type == STACK_TYPE:
            self._run.outputs = shown(outputs)

    def deployed(self, urn: str) -> ResourceState | None:
        """A resource that this run has registered."""
        with self._lock:
            entry = self._registered.get(urn)
        return entry.state if entry else None

    def provider(self, type_token: str, version: str) -> Provider:
        """The provider that an invoke goes to, configured by the program's or by the default provider."""
        package = package_of(type_token)
        provider = self._providers.of_package(package)
        if not any(is_provider(state.type) and package_of(state.type) == package for state in self._states()):
            self._default_provider(package, version)
        return provider

    def begin(self) -> None:
        """Before the program runs."""
        if self._policy is not None and self._run.preview:
            self._policy.begin()

    def finish(self) -> None:
        """After the program has ended well: judge the stack, then delete what it no longer asks for."""
        self._hear()
        states = self._states()
        if self._policy is not None and not self._failed:
            name = f"{self._run.project}-{self._run.stack}"
            stack_urn = make_urn(self._run.stack, self._run.project, "", STACK_TYPE, name)
            self._run.judged(self._policy.judge_stack(stack_urn, states, self._run.redactor))
        if self._failed or self._run.stopped:
            return
        known = {entry.state.urn: entry.state for entry in self._run.ledger.entries() if not entry.state.delete}
        known |= {state.urn: state for state in states}
        delete_entries(
            self._run,
            [*self._unregistered.values(), *self._condemned],
            lambda state: self._providers.of_resource(state, known),
        )

    def abandon(self) -> None:
        """After the program has failed: what was judged is told."""
        with contextlib.suppress(PolicyError):  # the program's own error says more
            self._hear()

    def end(self) -> None:
        """After the program, however it ended."""
        if self._policy is not None:
            self._policy.end()

    def _hear(self) -> None:
        """Take note of verdicts that come later than the resources that they are about."""
        if self._policy is not None:
            for verdicts in self._policy.outstanding(self._run.redactor):
                self._run.judged(verdicts)

    def _states(self) -> list[ResourceState]:
        with self._lock:
            return [entry.state for entry in self._registered.values() if entry is not None]

    def _handle(self, goal: Goal, deploy: Callable[[Goal, Entry | None], Entry]) -> ResourceState | None:
        if self._skips(goal):
            return None
        try:
            self._claim(goal)
            self._run.redactor.learn(goal.inputs)
            entry = deploy(goal, self._take_old(goal))
        except StepError:
            entry = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must report it and keep its state
            op: Op = "update" if goal.urn in self._deployed else "create"
            self._run.fail(step_for(op, goal.state()), error)
            entry = None
        with self._lock:
            if entry is None:
                self._failed.add(goal.urn)
                return None
            self._registered[goal.urn] = entry
            return entry.state

    def _skips(self, goal: Goal) -> bool:
        """Whether it must not be started: the run has stopped, or something that it needs has failed."""
        with self._lock:
            skips = self._run.stopped or not self._failed.isdisjoint(goal.state().needed_urns())
            if skips:
                self._failed.add(goal.urn)
            return skips

    def _claim(self, goal: Goal) -> None:
        with self._lock:
            if goal.urn in self._registered:
                raise EngineError("two resources have this type, parent and name: give one of them another name")
            self._registered[goal.urn] = None

    def _take_old(self, goal: Goal) -> Entry | None:
        """The deployed resource that the goal is about, under its own name or a former one."""
        with self._lock:
            old = self._unregistered.pop(goal.urn, None)
            if old is None and self._unregistered:
                for urn in former_urns(goal.urn, goal.parent, goal.aliases, self._former):
                    if (old := self._unregistered.pop(urn, None)) is not None:
                        self._former[goal.urn] = urn
                        break
            return old

    def _deploy(self, goal: Goal, old: Entry | None) -> Entry:
        if is_provider(goal.type):
            return self._deploy_provider(goal, old)
        if goal.custom:
            return self._deploy_resource(goal, old)
        state = replace(goal.state(), outputs=old.state.outputs if old else {})
        return self._deploy_local(state, old, configure=False)

    def _deploy_provider(self, goal: Goal, old: Entry | None) -> Entry:
        versioned = {**goal.inputs, "version": goal.version} if goal.version else dict(goal.inputs)
        identity = old.state.id if old else "" if self._run.preview else new_provider_id()
        state = replace(goal.state(), id=identity, inputs=with_internal(versioned), outputs=versioned)
        return self._deploy_local(state, old, configure=True)

    def _deploy_local(self, state: ResourceState, old: Entry | None, *, configure: bool) -> Entry:
        """Settle what exists in state only: a component or a provider resource."""
        self._judge(state)
        changed = component_changes(old.state, state.inputs) if old else ()
        op: Op = "create" if old is None else "update" if changed else "same"
        with self._run.step(step_for(op, state, old.state if old else None, changed)):
            if configure:
                self._providers.configure(state)
            return self._operations.record(state, old)

    def _deploy_resource(self, goal: Goal, old: Entry | None) -> Entry:
        state, provider = self._with_provider(goal)
        gone = old is not None and (old.state.pending_replacement or old.state.urn in self._deleted_first)
        if old is None or gone or old.state.external:
            state = replace(state, inputs=self._check(provider, goal, None))
            self._judge(state)
            if goal.import_id and not gone:
                with self._run.step(step_for("import", state)):
                    return self._operations.adopt(provider, state, goal.import_id)
            with self._run.step(step_for("replace" if gone else "create", state)):
                return self._operations.create(provider, state, instead_of=old)
        if goal.import_id not in ("", old.state.id, old.state.import_id):
            raise EngineError(f"is deployed as {old.state.id}, import_ names {goal.import_id}: take import_ off")
        state = replace(state, inputs=self._check(provider, goal, old))
        was, wanted = for_provider(old.state.inputs), for_provider(state.inputs)
        decision = decide(
            goal, old.state, provider.diff(goal.urn, old.state.id, was, for_provider(old.state.outputs), wanted)
        )
        if decision.op == "replace":
            return self._replace(provider, goal, state, old, decision)
        self._judge(state)
        with self._run.step(step_for(decision.op, state, old.state, decision.changed)):
            if decision.op == "update":
                return self._operations.update(provider, state, old)
            return self._operations.record(replace(state, id=old.state.id, outputs=old.state.outputs), old)

    def _replace(self, provider: Provider, goal: Goal, state: ResourceState, old: Entry, decision: Decision) -> Entry:
        state = replace(state, inputs=self._check(provider, goal, None))
        self._judge(state)
        step = step_for("replace", state, old.state, decision.changed, decision.replaces)
        if decision.delete_first:
            self._delete_first(provider, old)
            with self._run.step(step):
                return self._operations.create(provider, state, instead_of=old)
        with self._run.step(step):
            entry = self._operations.create(provider, state, instead_of=old, keep_old=True)
        with self._lock:
            self._condemned.append(Entry(old.key, replace(old.state, delete=True)))
        return entry

    def _delete_first(self, provider: Provider, old: Entry) -> None:
        """Delete the old generation now, after everything that will have to be replaced along with it."""
        with self._lock:
            candidates = {entry.state.urn: entry for entry in self._unregistered.values()}
        known = {state.urn: state for state in self._states()}
        known |= {urn: entry.state for urn, entry in candidates.items() if urn not in known}

        def provider_of(state: ResourceState) -> Provider:
            return self._providers.of_resource(state, known)

        along = replaced_along(old.state, [entry.state for entry in candidates.values()], provider_of)
        for state in reversed(along):
            with self._run.step(step_for("delete-replaced", state)):
                self._operations.delete(provider_of(state), candidates[state.urn], recreate=True)
            with self._lock:
                self._deleted_first.add(state.urn)
        with self._run.step(step_for("delete-replaced", old.state)):
            self._operations.delete(provider, old, recreate=True)

    def _with_provider(self, goal: Goal) -> tuple[ResourceState, Provider]:
        """The desired state with a reference to its provider resource, and the provider."""
        state = goal.state()
        provider = self._providers.of_package(package_of(goal.type))
        if not goal.provider:
            default = self._default_provider(package_of(goal.type), goal.version)
            state = replace(state, provider=f"{default.urn}::{default.id}")
        return state, provider

    def _default_provider(self, package: str, version: str) -> ResourceState:
        goal = self._providers.default_goal(package, version, self._run.stack, self._run.project)
        with self._default_lock:
            state = self.deployed(goal.urn)
            if state is None and goal.urn not in self._failed:
                state = self.register(goal)
        if state is None:
            raise StepError
        return state

    def _check(self, provider: Provider, goal: Goal, old: Entry | None) -> Properties:
        """The goal's inputs as the provider completes them and remedies leave them; raises `EngineError` naming each
        that it refuses."""
        wanted = keep_ignored(goal, old.state if old else None)
        checked = provider.check(goal.urn, for_provider(old.state.inputs if old else {}), for_provider(wanted))
        if checked.failures:
            texts = [f"{failure.property}: {failure.reason}".removeprefix(": ") for failure in checked.failures]
            raise EngineError("; ".join(texts))
        plaintexts = plaintexts_of(wanted)
        return self._remedied(
            goal, {key: mark_secrets(value, wanted.get(key), plaintexts) for key, value in checked.inputs.items()}
        )

    def _remedied(self, goal: Goal, inputs: Properties) -> Properties:
        """`inputs` as the policies put them right, where they are let; a preview, which every run begins with, says
        what was changed."""
        if self._policy is None:
            return inputs
        changed, told = self._policy.remedy_resource(goal.state(), inputs, self._run.redactor)
        for line in told if self._run.preview else ():
            self._run.message("warning", line, goal.urn)
        return changed

    def _judge(self, state: ResourceState) -> None:
        """Ask the policies. In a deployment a mandatory violation stops the resource and the run."""
        if self._policy is None:
            return
        provider = self.deployed(state.provider_urn) if state.provider else None
        verdicts = self._policy.judge_resource(state, state.inputs, provider, self._run.redactor)
        if not self._run.judged(verdicts) and not self._run.preview:
            raise StepError
