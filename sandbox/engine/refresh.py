"""Reads every deployed resource back, so that state says what the cloud has."""

from collections.abc import Mapping
from dataclasses import replace

from sandbox.engine.events import Op
from sandbox.engine.ledger import Entry, timestamp
from sandbox.engine.paths import differences
from sandbox.engine.plan import step_for
from sandbox.engine.providers import Providers, is_cloud_resource
from sandbox.engine.resource import ResourceState
from sandbox.engine.run import Run, StepError
from sandbox.engine.secrets import mark_secrets, plaintexts_of
from sandbox.engine.wire import for_provider
from sandbox.provider import Read


def refresh_entries(run: Run, providers: Providers) -> None:
    """Read back every resource that the stack owns. One that is gone leaves the state; the next `up` makes it anew."""
    entries = run.ledger.entries()
    states = {entry.state.urn: entry.state for entry in entries if not entry.state.delete}
    for entry in entries:
        state = entry.state
        if is_cloud_resource(state) and not state.external and not state.pending_replacement:
            try:
                _refresh(run, providers, entry, states)
            except StepError:
                continue
            except Exception as error:  # noqa: BLE001 - one resource that cannot be read does not hide the others
                run.fail(step_for("refresh", state), error)


def _refresh(run: Run, providers: Providers, entry: Entry, states: Mapping[str, ResourceState]) -> None:
    state = entry.state
    provider = providers.of_resource(state, states)
    live = provider.read(state.urn, state.id, for_provider(state.inputs))
    if live is None:
        with run.step(step_for("delete", state)):
            run.ledger.commit(drop=entry.key)
        run.message("warning", "no longer exists in the cloud", state.urn)
        return
    now = live_state(state, live)
    changed = tuple(differences(state.outputs, now.outputs))
    op: Op = "refresh" if changed else "same"
    with run.step(step_for(op, replace(now, inputs=now.outputs), replace(state, inputs=state.outputs), changed)):
        if not now.same_as(state):
            run.ledger.commit(put=replace(now, modified=timestamp()), at=entry.key)


def live_state(state: ResourceState, live: Read) -> ResourceState:
    """`state` as the cloud has it; what the program declared secret stays secret."""
    plaintexts = plaintexts_of(state.inputs)
    secret_outputs = {**state.inputs, **state.outputs}
    return replace(
        state,
        id=live.id,
        inputs={k: mark_secrets(value, state.inputs.get(k), plaintexts) for k, value in live.inputs.items()},
        outputs={k: mark_secrets(value, secret_outputs.get(k), plaintexts) for k, value in live.outputs.items()},
    )
