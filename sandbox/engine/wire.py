"""Property values on the wire and in state.

Pulumi carries what JSON cannot say as maps with a signature key, and an unknown as a magic string
(sdk/go/common/resource/properties.go, `SigKey` and `UnknownStringValue`; the same constants are in the Python SDK's
`pulumi.runtime.rpc`). This module is the only place that knows them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

from sandbox.engine.errors import EngineError
from sandbox.engine.events import SECRET_SHOWN, UNKNOWN_SHOWN
from sandbox.values import UNKNOWN, Secret, Value, contains_unknown

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a type mark, not a secret
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET_SIGNATURES: Final = ("c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7")
UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True, slots=True)
class Reference:
    """A whole resource used as a value. `id` is None for a component and `UNKNOWN` before creation."""

    urn: str
    id: Value = None
    package_version: str = ""


def from_struct(struct: struct_pb2.Struct) -> dict[str, Value]:
    """The property bag in `struct`; raises `EngineError` on an asset or archive, naming its property."""
    return {key: _from_proto(value, key) for key, value in struct.fields.items()}


def _from_proto(proto: struct_pb2.Value, path: str) -> Value:
    match proto.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if proto.string_value == UNKNOWN_STRING else proto.string_value
        case "number_value":
            number = proto.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return proto.bool_value
        case "list_value":
            return [_from_proto(item, f"{path}[{i}]") for i, item in enumerate(proto.list_value.values)]
        case "struct_value":
            fields = proto.struct_value.fields
            members = {key: _from_proto(item, f"{path}.{key}") for key, item in fields.items()}
            return _from_signed(members, path) if SIGNATURE in members else members
        case _:
            return None


def _from_signed(members: dict[str, Value], path: str) -> Value:
    match members[SIGNATURE]:
        case signature if signature == SECRET_SIGNATURE:
            return Secret(members.get("value"))
        case signature if signature == OUTPUT_SIGNATURE:
            value = members.get("value", UNKNOWN)
            return Secret(value) if members.get("secret") else value
        case signature if signature == RESOURCE_SIGNATURE:
            identity = members.get("id")
            return Reference(
                members["urn"], UNKNOWN if identity == "" else identity, members.get("packageVersion") or ""
            )
        case signature if signature in ASSET_SIGNATURES:
            raise EngineError(f"property {path}: assets and archives are not deployed to the sandbox; pass the content")
        case signature:
            raise EngineError(f"property {path}: value of an unknown kind ({signature})")


def to_struct(values: Mapping[str, Value]) -> struct_pb2.Struct:
    """`values` as the SDK and the policy servicer read them."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        _to_proto(struct.fields[key], value)
    return struct


def _to_proto(proto: struct_pb2.Value, value: Value) -> None:
    match value:
        case None:
            proto.null_value = struct_pb2.NULL_VALUE
        case bool():
            proto.bool_value = value
        case int() | float():
            proto.number_value = value
        case str():
            proto.string_value = value
        case Secret():
            _to_proto(proto, {SIGNATURE: SECRET_SIGNATURE, "value": value.value})
        case Reference():
            _to_proto(proto, _reference_members(value, unknown_id=""))
        case dict():
            proto.struct_value.SetInParent()
            for key, item in value.items():
                _to_proto(proto.struct_value.fields[key], item)
        case list() | tuple():
            proto.list_value.SetInParent()
            for item in value:
                _to_proto(proto.list_value.values.add(), item)
        case _ if value is UNKNOWN:
            proto.string_value = UNKNOWN_STRING
        case _:
            raise TypeError(f"not a property value: {type(value).__name__}")


def _reference_members(reference: Reference, unknown_id: str) -> dict[str, Value]:
    members = {SIGNATURE: RESOURCE_SIGNATURE, "urn": reference.urn, "packageVersion": reference.package_version}
    if reference.id is not None:
        members["id"] = unknown_id if reference.id is UNKNOWN else reference.id
    return members


def to_json(value: Value, seal: Callable[[Value], str]) -> Any:
    """`value` as state keeps it; `seal` turns what a secret holds into its ciphertext."""
    match value:
        case Secret():
            return {SIGNATURE: SECRET_SIGNATURE, "ciphertext": seal(to_json(value.value, seal))}
        case Reference():
            return _reference_members(value, unknown_id="")
        case dict():
            return {key: to_json(item, seal) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item, seal) for item in value]
        case _ if value is UNKNOWN:
            return UNKNOWN_STRING
        case _:
            return value


def from_json(value: Any, unseal: Callable[[str], Any]) -> Value:
    """The inverse of `to_json`."""
    match value:
        case dict():
            if value.get(SIGNATURE) == SECRET_SIGNATURE:
                return Secret(from_json(unseal(value["ciphertext"]), unseal))
            if value.get(SIGNATURE) == RESOURCE_SIGNATURE:
                identity = value.get("id")
                return Reference(
                    value["urn"], UNKNOWN if identity == "" else identity, value.get("packageVersion") or ""
                )
            return {key: from_json(item, unseal) for key, item in value.items()}
        case list():
            return [from_json(item, unseal) for item in value]
        case _:
            return UNKNOWN if value == UNKNOWN_STRING else value


def for_provider(value: Value) -> Value:
    """`value` as a provider sees it: secrets revealed, a resource as its id (a component as its URN)."""
    match value:
        case Secret():
            return for_provider(value.value)
        case Reference():
            return value.urn if value.id is None else value.id
        case dict():
            return {key: for_provider(item) for key, item in value.items()}
        case list() | tuple():
            return [for_provider(item) for item in value]
        case _:
            return value


def shown(value: Value) -> Value:
    """`value` as it may be printed: secrets and unknowns replaced by what stands for them."""
    match value:
        case Secret():
            return UNKNOWN_SHOWN if contains_unknown(value.value) else SECRET_SHOWN
        case Reference():
            return shown(value.urn if value.id is None else value.id)
        case dict():
            return {key: shown(item) for key, item in value.items()}
        case list() | tuple():
            return [shown(item) for item in value]
        case _:
            return UNKNOWN_SHOWN if value is UNKNOWN else value
