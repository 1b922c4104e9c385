"""What a program asks for: one registered resource, from `pulumirpc.RegisterResourceRequest`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.engine.errors import EngineError
from sandbox.engine.resource import ResourceState
from sandbox.engine.urn import AliasSpec
from sandbox.engine.wire import from_struct
from sandbox.provider import Properties


@dataclass(frozen=True, slots=True)
class Goal:
    """`provider` is a reference `<urn>::<id>`, or '' for the default provider of the package at `version`.
    `delete_before_replace` is None where the program leaves it to the provider."""

    urn: str
    type: str
    custom: bool
    inputs: Properties
    parent: str = ""
    provider: str = ""
    version: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] | None = None
    aliases: tuple[AliasSpec, ...] = ()
    import_id: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    deleted_with: str = ""
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()

    def state(self) -> ResourceState:
        """The resource as it shall be, without what only a provider knows."""
        return ResourceState(
            urn=self.urn,
            type=self.type,
            custom=self.custom,
            inputs=self.inputs,
            parent=self.parent,
            provider=self.provider,
            dependencies=self.dependencies,
            property_dependencies=self.property_dependencies or {},
            deleted_with=self.deleted_with,
            import_id=self.import_id,
            additional_secret_outputs=self.additional_secret_outputs,
            ignore_changes=self.ignore_changes,
            replace_on_changes=self.replace_on_changes,
            protect=self.protect,
            retain_on_delete=self.retain_on_delete,
        )


def goal_from(request: Any, urn: str) -> Goal:
    """The goal in a `RegisterResourceRequest` for `urn`; raises `EngineError` on what the local engine does not do."""
    if request.remote:
        raise EngineError(f"{urn}: components of another language's package need the pulumi command (--engine pulumi)")
    if request.HasField("replacement_trigger"):
        raise EngineError(f"{urn}: replacement_trigger is not supported by the local engine; use replace_on_changes")
    try:
        inputs = from_struct(request.object)
    except EngineError as error:
        raise EngineError(f"{urn}: {error}") from error
    return Goal(
        urn=urn,
        type=request.type,
        custom=request.custom,
        inputs=inputs,
        parent=request.parent,
        provider=request.provider,
        version=request.version,
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={
            key: tuple(sorted(request.propertyDependencies[key].urns)) for key in sorted(request.propertyDependencies)
        },
        aliases=tuple(_aliases(request.aliases, request.aliasURNs)),
        import_id=request.importId,
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        deleted_with=request.deletedWith,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
    )


def _aliases(aliases: Sequence[Any], urns: Sequence[str]) -> list[AliasSpec]:
    found = [AliasSpec(urn=urn) for urn in urns]
    for alias in aliases:
        if alias.urn:
            found.append(AliasSpec(urn=alias.urn))
        else:
            spec = alias.spec
            found.append(
                AliasSpec(
                    name=spec.name,
                    type=spec.type,
                    stack=spec.stack,
                    project=spec.project,
                    parent=spec.parentUrn,
                    no_parent=spec.noParent,
                )
            )
    return found
