"""Operations on the cloud, each with its trace in the ledger: begun before, committed after. A preview only foretells.

When an operation is interrupted, what was begun stays in the ledger; `sandbox.engine.recovery` finds out what became of
it. When the provider refuses one, it is known not to have happened, and the beginning is taken back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sandbox.engine.errors import EngineError
from sandbox.engine.ledger import Entry, PendingType, timestamp
from sandbox.engine.resource import ResourceState
from sandbox.engine.run import Run
from sandbox.engine.secrets import mark_secrets, plaintexts_of
from sandbox.engine.wire import for_provider
from sandbox.provider import Properties, Provider, ProviderError
from sandbox.values import Secret


class Operations:
    """What can be done to one resource. Every method returns the entry that the resource has afterwards."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = run.ledger

    def create(
        self, provider: Provider, state: ResourceState, *, instead_of: Entry | None = None, keep_old: bool = False
    ) -> Entry:
        """Create `state`. `instead_of` is the generation before: replaced in the ledger, or with `keep_old` kept there
        and marked for deletion."""
        inputs = for_provider(state.inputs)
        if self._run.preview:
            foretold = provider.create(state.urn, inputs, preview=True)
            return Entry(-1, replace(state, id=foretold.id, outputs=self._outputs(state, foretold.outputs)))
        with self._begun("creating", state) as number:
            created = provider.create(state.urn, inputs, preview=False)
        if not created.id:
            raise EngineError("defect of the emulated provider: it gave no id")
        now = timestamp()
        outputs = self._outputs(state, created.outputs)
        state = replace(state, id=created.id, outputs=outputs, created=now, modified=now)
        return self._ledger.commit(
            end=number,
            put=state,
            at=instead_of.key if instead_of and not keep_old else None,
            mark=Entry(instead_of.key, replace(instead_of.state, delete=True)) if instead_of and keep_old else None,
        )

    def update(self, provider: Provider, state: ResourceState, old: Entry) -> Entry:
        """Change the resource in place to `state.inputs`."""
        olds, news = for_provider(old.state.inputs), for_provider(state.inputs)
        state = replace(state, id=old.state.id, outputs=old.state.outputs)
        if self._run.preview:
            foretold = provider.update(state.urn, state.id, olds, news, preview=True)
            return Entry(-1, replace(state, outputs=self._outputs(state, foretold)))
        with self._begun("updating", state) as number:
            outputs = provider.update(state.urn, state.id, olds, news, preview=False)
        state = replace(state, outputs=self._outputs(state, outputs), created=old.state.created, modified=timestamp())
        return self._ledger.commit(end=number, put=state, at=old.key, rename=_rename(old.state, state))

    def adopt(self, provider: Provider, state: ResourceState, identity: str) -> Entry:
        """Take a resource that exists in the cloud into the stack, unchanged; `state.inputs` must describe it."""
        inputs = for_provider(state.inputs)
        live = provider.read(state.urn, identity, inputs)
        if live is None:
            raise EngineError(f"cannot import: there is no resource with the id {identity}")
        diff = provider.diff(state.urn, live.id, live.inputs, live.outputs, inputs)
        if diff.changed:
            raise EngineError(
                f"cannot import {identity}: the program says otherwise than the cloud has it at"
                f" {', '.join(diff.changed)}; make the program describe it as it is"
            )
        now = timestamp()
        outputs = self._outputs(state, live.outputs)
        state = replace(state, id=live.id, outputs=outputs, import_id=identity, created=now, modified=now)
        return self._put(state, None)

    def read(self, provider: Provider, state: ResourceState, old: Entry | None) -> Entry:
        """Look at a resource that the stack does not own; `state.id` says which."""
        live = provider.read(state.urn, state.id, for_provider(state.inputs))
        if live is None:
            raise EngineError(f"there is no resource with the id {state.id}")
        state = replace(state, id=live.id, outputs=self._outputs(state, live.outputs), external=True)
        return self.record(state, old)

    def record(self, state: ResourceState, old: Entry | None) -> Entry:
        """Note what is known without asking the cloud; nothing is written when nothing is new."""
        if old is not None:
            state = replace(state, created=old.state.created, modified=old.state.modified)
            if state.same_as(old.state):
                return old
        return self._put(state, old)

    def delete(self, provider: Provider | None, entry: Entry, *, recreate: bool = False) -> None:
        """Delete the resource, in the ledger only if there is no `provider` to ask. With `recreate` the entry stays, to
        be filled again."""
        if self._run.preview:
            return
        number = None
        if provider is not None:
            with self._begun("deleting", entry.state) as number:
                provider.delete(entry.state.urn, entry.state.id, for_provider(entry.state.outputs))
        if recreate:
            self._ledger.commit(end=number, mark=Entry(entry.key, replace(entry.state, pending_replacement=True)))
        else:
            self._ledger.commit(end=number, drop=entry.key)

    def _put(self, state: ResourceState, old: Entry | None) -> Entry:
        if self._run.preview:
            return Entry(-1, state)
        now = timestamp()
        state = replace(state, created=(old.state.created if old else "") or now, modified=now)
        return self._ledger.commit(
            put=state, at=old.key if old else None, rename=_rename(old.state, state) if old else None
        )

    @contextmanager
    def _begun(self, kind: PendingType, state: ResourceState) -> Iterator[int]:
        number = self._ledger.begin(kind, state)
        try:
            yield number
        except ProviderError:
            self._ledger.commit(end=number)
            raise

    def _outputs(self, state: ResourceState, outputs: Properties) -> Properties:
        """The provider's outputs, secret where the inputs or `additional_secret_outputs` say so."""
        marked = mark_secrets(outputs, state.inputs, plaintexts_of(state.inputs))
        result = {
            key: Secret(value) if key in state.additional_secret_outputs and not isinstance(value, Secret) else value
            for key, value in marked.items()
        }
        self._run.redactor.learn(result, stated=state.inputs)
        return result


def _rename(old: ResourceState, new: ResourceState) -> tuple[str, str] | None:
    return (old.urn, new.urn) if old.urn != new.urn else None
