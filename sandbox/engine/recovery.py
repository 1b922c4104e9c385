"""Finds out what became of operations that were under way when a run was killed, by asking the cloud."""

from dataclasses import replace

from sandbox.engine.errors import EngineError
from sandbox.engine.ledger import Entry, PendingOperation
from sandbox.engine.providers import Providers
from sandbox.engine.refresh import live_state
from sandbox.engine.run import Run
from sandbox.engine.urn import name_of
from sandbox.engine.wire import for_provider
from sandbox.provider import ProviderError, Read


def settle_pending(run: Run, providers: Providers) -> None:
    """Settle every pending operation, so that the run starts from what is there."""
    for pending in run.ledger.pending():
        entries = run.ledger.entries()
        states = {entry.state.urn: entry.state for entry in entries}
        resource = pending.resource
        known = next(
            (entry for entry in entries if entry.state.urn == resource.urn and entry.state.id == resource.id), None
        )
        try:
            provider = providers.of_resource(resource, states)
            live = provider.read(resource.urn, resource.id, for_provider(resource.inputs))
        except (EngineError, ProviderError) as error:
            raise EngineError(
                f"{name_of(resource.urn)}: {pending.type} was under way when the last run stopped, and the cloud cannot"
                f" be asked what became of it: {run.redactor.clean(str(error))}"
            ) from error
        _settle(run, pending, known, live)


def _settle(run: Run, pending: PendingOperation, known: Entry | None, live: Read | None) -> None:
    ledger, resource, number = run.ledger, pending.resource, pending.number
    if live is not None and pending.type == "creating":
        text = _settle_created(run, pending, live)
    elif live is not None and pending.type == "updating":
        ledger.commit(end=number, put=live_state(resource, live), at=known.key if known else None)
        text = "was read back, what is missing will be updated"
    elif live is not None:
        ledger.commit(end=number)
        text = "still exists"
    else:
        ledger.commit(end=number, drop=known.key if known else None)
        text = "does not exist"
    run.message("info", f"{name_of(resource.urn)}: {pending.type} was under way when the last run stopped; it {text}")


def _settle_created(run: Run, pending: PendingOperation, live: Read) -> str:
    """What was found may be the generation before, if the new one is known by the same name."""
    urn = pending.resource.urn
    before = next((e for e in run.ledger.entries() if e.state.urn == urn and not e.state.delete), None)
    if before is not None and before.state.id == live.id and not before.state.pending_replacement:
        run.ledger.commit(end=pending.number)
        return "was not created"
    state = live_state(pending.resource, live)
    if before is None or before.state.pending_replacement:
        run.ledger.commit(end=pending.number, put=state, at=before.key if before else None)
    else:
        condemned = Entry(before.key, replace(before.state, delete=True))
        run.ledger.commit(end=pending.number, put=state, mark=condemned)
    return "was created, and is kept"
