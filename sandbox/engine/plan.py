"""What has to be done to a resource that exists: nothing, an update in place, or a replacement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.engine.errors import EngineError
from sandbox.engine.events import Op, Step
from sandbox.engine.goal import Goal
from sandbox.engine.graph import in_dependency_order
from sandbox.engine.paths import covers, differences, keep_old, parse, value_at
from sandbox.engine.resource import ResourceState
from sandbox.engine.urn import name_of
from sandbox.engine.wire import for_provider, shown
from sandbox.provider import Diff, Properties, Provider
from sandbox.values import UNKNOWN


@dataclass(frozen=True, slots=True)
class Decision:
    """`changed` are the property paths that differ, `replaces` those that force a replacement."""

    op: Literal["same", "update", "replace"]
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_first: bool = False


def decide(goal: Goal, old: ResourceState, diff: Diff) -> Decision:
    """From the provider's diff and the resource's options; raises `EngineError` where an option forbids it."""
    forced = (path for path in diff.changed if any(covers(pattern, path) for pattern in goal.replace_on_changes))
    replaces = tuple(dict.fromkeys([*diff.replaces, *forced]))
    if not replaces:
        return Decision("update" if diff.changed else "same", diff.changed)
    why = f"{', '.join(replaces)} cannot change in place"
    if goal.protect and old.protect:
        raise EngineError(f"is protected and would have to be replaced ({why}): take protect off first, or undo it")
    if goal.import_id:
        raise EngineError(f"was imported and would have to be replaced ({why}): take import_ off, or undo it")
    delete_first = diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
    changed = tuple(dict.fromkeys([*diff.changed, *replaces]))
    return Decision("replace", changed, replaces, delete_first)


def keep_ignored(goal: Goal, old: ResourceState | None) -> Properties:
    """The goal's inputs, with what `ignore_changes` names left as it is deployed."""
    inputs = goal.inputs
    if old is not None:
        for path in goal.ignore_changes:
            inputs = keep_old(inputs, old.inputs, parse(path))
    return inputs


def component_changes(old: ResourceState, inputs: Properties) -> tuple[str, ...]:
    """The paths at which the inputs of a component (or of a provider) differ from what state has."""
    return tuple(differences(old.inputs, inputs))


def step_for(
    op: Op,
    state: ResourceState,
    old: ResourceState | None = None,
    changed: Sequence[str] = (),
    replaces: Sequence[str] = (),
) -> Step:
    """A step ready to be shown: the old and new value of each changed path, secrets taken out."""

    def values(of: ResourceState | None) -> Mapping[str, object]:
        return {path: shown(value_at(of.inputs, path)) for path in changed} if of is not None else {}

    return Step(
        op,
        state.urn,
        state.type,
        name_of(state.urn),
        state.parent,
        tuple(changed),
        tuple(replaces),
        values(old),
        values(state),
    )


def replaced_along(
    root: ResourceState, candidates: Sequence[ResourceState], provider_of: Callable[[ResourceState], Provider]
) -> list[ResourceState]:
    """The resources that must go before `root` can be deleted, because they will have to be replaced themselves.

    `candidates` are the deployed resources that the program has not registered yet. One is among them if a property of
    it comes from a replaced resource and its provider says that an unknown there would force a replacement.
    """
    replaced = {root.urn}
    found = []
    for state in in_dependency_order(candidates):
        depending = {key for key, urns in state.property_dependencies.items() if replaced.intersection(urns)}
        if state.urn == root.urn or not state.custom or state.external or not depending:
            continue
        inputs = for_provider(state.inputs)
        unknown = {key: UNKNOWN if key in depending else value for key, value in inputs.items()}
        diff = provider_of(state).diff(state.urn, state.id, inputs, for_provider(state.outputs), unknown)
        if diff.replaces:
            if state.protect:
                raise EngineError(
                    f"replacing it means replacing {name_of(state.urn)}, which is protected: take protect off first"
                )
            replaced.add(state.urn)
            found.append(state)
    return found
