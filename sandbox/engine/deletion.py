"""Deletes resources, each before what it needs."""

from collections.abc import Callable, Sequence

from sandbox.engine.errors import EngineError
from sandbox.engine.events import Op
from sandbox.engine.graph import in_dependency_order
from sandbox.engine.ledger import Entry
from sandbox.engine.operations import Operations
from sandbox.engine.plan import step_for
from sandbox.engine.providers import is_cloud_resource
from sandbox.engine.resource import ResourceState
from sandbox.engine.run import Run, StepError
from sandbox.provider import Provider


def delete_entries(run: Run, entries: Sequence[Entry], provider_of: Callable[[ResourceState], Provider]) -> None:
    """Delete `entries` in reverse dependency order. What one that failed needs is left alone; the rest is deleted."""
    operations = Operations(run)
    by_identity = {id(entry.state): entry for entry in entries}
    going = {entry.state.urn for entry in entries if not entry.state.delete}
    still_needed: set[str] = set()
    for state in reversed(in_dependency_order([entry.state for entry in entries])):
        if state.urn in still_needed and not state.delete:
            still_needed |= state.needed_urns()
            continue
        op = _op(state)
        try:
            with run.step(step_for(op, state)):
                if state.protect and op == "delete":
                    raise EngineError("is protected: set protect=False, run up, then delete it")
                asks_cloud = op != "discard" and is_cloud_resource(state) and state.deleted_with not in going
                operations.delete(provider_of(state) if asks_cloud else None, by_identity[id(state)])
        except StepError:
            still_needed |= state.needed_urns()


def _op(state: ResourceState) -> Op:
    if state.external or state.retain_on_delete or state.pending_replacement:
        return "discard"
    return "delete-replaced" if state.delete else "delete"
