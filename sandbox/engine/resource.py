"""One resource as state keeps it: `ResourceV3` of sdk/go/common/apitype/core.go."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.engine.secrets import SecretBox
from sandbox.engine.wire import from_json, to_json
from sandbox.provider import Properties


@dataclass(frozen=True, slots=True)
class ResourceState:
    """`custom` resources have a provider and an id; components have neither. Times are RFC 3339 in UTC.

    `delete` marks the old generation of a replaced resource, which is still to be deleted; `pending_replacement` one
    that was deleted before its replacement could be created; `external` one that was read and is not owned.
    """

    urn: str
    type: str
    custom: bool = False
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deleted_with: str = ""
    import_id: str = ""
    additional_secret_outputs: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False
    external: bool = False
    delete: bool = False
    pending_replacement: bool = False
    created: str = ""
    modified: str = ""

    @property
    def provider_urn(self) -> str:
        """`provider` is `<urn>::<id>`."""
        return self.provider.rpartition("::")[0]

    def needed_urns(self) -> set[str]:
        """What must exist for this resource to: parent, provider, dependencies."""
        needed = {self.parent, self.provider_urn, *self.dependencies, self.deleted_with}
        for urns in self.property_dependencies.values():
            needed.update(urns)
        return needed - {""}

    def same_as(self, other: "ResourceState") -> bool:
        """Equal but for the times."""
        return replace(self, created="", modified="") == replace(other, created="", modified="")

    def renamed(self, renames: Mapping[str, str]) -> "ResourceState":
        """With every reference to a URN in `renames` replaced."""

        def new(urn: str) -> str:
            return renames.get(urn, urn)

        provider_urn, _, provider_id = self.provider.rpartition("::")
        return replace(
            self,
            parent=new(self.parent),
            provider=f"{new(provider_urn)}::{provider_id}" if self.provider else "",
            dependencies=tuple(map(new, self.dependencies)),
            property_dependencies={k: tuple(map(new, urns)) for k, urns in self.property_dependencies.items()},
            deleted_with=new(self.deleted_with),
        )

    def without_dangling(self, existing: set[str]) -> "ResourceState":
        """Without references to resources that are gone: the real engine refuses a state that has any."""
        if self.needed_urns() <= existing:
            return self
        return replace(
            self,
            parent=self.parent if self.parent in existing else "",
            dependencies=tuple(urn for urn in self.dependencies if urn in existing),
            property_dependencies={
                key: tuple(urn for urn in urns if urn in existing) for key, urns in self.property_dependencies.items()
            },
            deleted_with=self.deleted_with if self.deleted_with in existing else "",
        )


_OPTIONAL = {
    "id": "id",
    "parent": "parent",
    "provider": "provider",
    "deletedWith": "deleted_with",
    "importID": "import_id",
    "protect": "protect",
    "retainOnDelete": "retain_on_delete",
    "external": "external",
    "delete": "delete",
    "pendingReplacement": "pending_replacement",
    "created": "created",
    "modified": "modified",
}
_OPTIONAL_LISTS = {
    "dependencies": "dependencies",
    "additionalSecretOutputs": "additional_secret_outputs",
    "ignoreChanges": "ignore_changes",
    "replaceOnChanges": "replace_on_changes",
}


def encode(state: ResourceState, box: SecretBox) -> dict[str, Any]:
    """The JSON of one resource, empty fields left out, secrets sealed."""
    record: dict[str, Any] = {"urn": state.urn, "custom": state.custom, "type": state.type}
    for key, name in _OPTIONAL.items():
        if value := getattr(state, name):
            record[key] = value
    for key, name in _OPTIONAL_LISTS.items():
        if value := getattr(state, name):
            record[key] = list(value)
    if state.inputs:
        record["inputs"] = to_json(state.inputs, box.seal)
    if state.outputs:
        record["outputs"] = to_json(state.outputs, box.seal)
    if state.property_dependencies:
        record["propertyDependencies"] = {key: list(urns) for key, urns in state.property_dependencies.items()}
    return record


def decode(record: Mapping[str, Any], box: SecretBox) -> ResourceState:
    """The inverse of `encode`; raises `KeyError` or `TypeError` on what is not a resource."""
    dependencies = record.get("propertyDependencies") or {}
    optional: dict[str, Any] = {name: record[key] for key, name in _OPTIONAL.items() if key in record}
    optional |= {name: tuple(record[key]) for key, name in _OPTIONAL_LISTS.items() if record.get(key)}
    return ResourceState(
        urn=record["urn"],
        type=record["type"],
        custom=record["custom"],
        inputs=from_json(record.get("inputs") or {}, box.unseal),
        outputs=from_json(record.get("outputs") or {}, box.unseal),
        property_dependencies={key: tuple(urns or ()) for key, urns in dependencies.items()},
        **optional,
    )
