"""Output values: property values that carry what they depend on, as transforms of resources are shown them.

An output value is a map `{<signature>, value?, secret?, dependencies?}`, without `value` while it is unknown
(sdk/go/common/resource/plugin/rpc.go). Programs send secrets and unknowns in older forms of their own; the engine makes
output values of them before the first transform runs (pkg/resource/deploy/source_eval.go, `UpgradeToOutputValues`).
"""

from collections.abc import Collection, Mapping

from google.protobuf import struct_pb2

from sandbox.engine.wire import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE, UNKNOWN_STRING


def upgrade(struct: struct_pb2.Struct) -> None:
    """Make an output value of every secret and every unknown in `struct`."""
    for value in struct.fields.values():
        _upgrade(value)


def _upgrade(value: struct_pb2.Value) -> None:
    match value.WhichOneof("kind"):
        case "string_value" if value.string_value == UNKNOWN_STRING:
            value.struct_value.fields[SIGNATURE].string_value = OUTPUT_SIGNATURE
        case "list_value":
            for item in value.list_value.values:
                _upgrade(item)
        case "struct_value" if _signature(value) == SECRET_SIGNATURE:
            fields = value.struct_value.fields
            fields[SIGNATURE].string_value = OUTPUT_SIGNATURE
            fields["secret"].bool_value = True
            if fields["value"].string_value == UNKNOWN_STRING:
                del fields["value"]
        case "struct_value" if not _signature(value):
            upgrade(value.struct_value)


def add_dependencies(struct: struct_pb2.Struct, dependencies: Mapping[str, Collection[str]]) -> None:
    """Let each property depend on its URNs in `dependencies`, as an output value that says so."""
    for key, urns in dependencies.items():
        if key not in struct.fields or set(urns) <= dependencies_in(struct.fields[key]):
            continue
        value = struct.fields[key]
        if _signature(value) != OUTPUT_SIGNATURE:
            element = struct_pb2.Value()
            element.CopyFrom(value)
            value.Clear()
            value.struct_value.fields[SIGNATURE].string_value = OUTPUT_SIGNATURE
            value.struct_value.fields["value"].CopyFrom(element)
        listed = value.struct_value.fields["dependencies"].list_value
        known = {item.string_value for item in listed.values}
        listed.extend(sorted(set(urns) - known))


def dependencies_in(value: struct_pb2.Value) -> set[str]:
    """The URNs that `value` depends on, at any depth."""
    match value.WhichOneof("kind"):
        case "list_value":
            return set().union(*map(dependencies_in, value.list_value.values))
        case "struct_value":
            fields = value.struct_value.fields
            found = set().union(*map(dependencies_in, fields.values()))
            if _signature(value) == OUTPUT_SIGNATURE and "dependencies" in fields:
                found |= {item.string_value for item in fields["dependencies"].list_value.values}
            return found
        case _:
            return set()


def _signature(value: struct_pb2.Value) -> str:
    """What kind of value it is, or '' for one that JSON can say."""
    fields = value.struct_value.fields
    return fields[SIGNATURE].string_value if SIGNATURE in fields else ""
