"""Resource names: `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`.

A child carries the types of its parents; children of the stack itself do not (sdk/go/common/resource/urn/urn.go).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_TYPE_PREFIX: Final = "pulumi:providers:"
DEFAULT_PROVIDER_PREFIX: Final = "default"


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource; `parent` is a URN, or '' for the stack and what has no parent."""
    parent_types = "" if not parent or qualified_type(parent) == STACK_TYPE else f"{qualified_type(parent)}$"
    return f"urn:pulumi:{stack}::{project}::{parent_types}{type_}::{name}"


def qualified_type(urn: str) -> str:
    """`a:b:Parent$c:d:Child`."""
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    return qualified_type(urn).rpartition("$")[2]


def name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def package_of(type_token: str) -> str:
    """`azure-native` of `azure-native:compute:VirtualMachine` and of `pulumi:providers:azure-native`."""
    if type_token.startswith(PROVIDER_TYPE_PREFIX):
        return type_token.removeprefix(PROVIDER_TYPE_PREFIX)
    return type_token.partition(":")[0]


def is_provider(type_token: str) -> bool:
    return type_token.startswith(PROVIDER_TYPE_PREFIX)


def is_default_provider(urn: str) -> bool:
    """Whether the engine itself made this provider: `default` or `default_<version with _ for .>`."""
    name = name_of(urn)
    return is_provider(type_of(urn)) and (
        name == DEFAULT_PROVIDER_PREFIX or name.startswith(f"{DEFAULT_PROVIDER_PREFIX}_")
    )


@dataclass(frozen=True, slots=True)
class AliasSpec:
    """A former identity, by what differs from the present one; '' means no difference. `urn` alone overrides all."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


def former_urns(urn: str, parent: str, aliases: Sequence[AliasSpec], former_parents: dict[str, str]) -> list[str]:
    """The URNs that a resource may have had: its own aliases, then those that it inherits from a renamed parent.

    `former_parents` maps each resource that was found under an alias in this run to the URN it was found under.
    """
    own = [_former_urn(urn, parent, alias, former_parents) for alias in aliases]
    if parent not in former_parents:
        return own
    present = [urn, *own]
    inherited = [_inherited(type_of(each), name_of(each), name_of(parent), former_parents[parent]) for each in present]
    return [*own, *inherited]


def _former_urn(urn: str, parent: str, alias: AliasSpec, former_parents: dict[str, str]) -> str:
    if alias.urn:
        return alias.urn
    stack, project = urn.removeprefix("urn:pulumi:").split("::", 2)[:2]
    former_parent = former_parents.get(alias.parent, alias.parent) or parent
    return make_urn(
        alias.stack or stack,
        alias.project or project,
        "" if alias.no_parent else former_parent,
        alias.type or type_of(urn),
        alias.name or name_of(urn),
    )


def _inherited(type_: str, name: str, parent_name: str, former_parent: str) -> str:
    """A child named after its parent (`<parent>-suffix`) is taken to have been named after the former parent."""
    if name.startswith(parent_name):
        name = name_of(former_parent) + name.removeprefix(parent_name)
    stack, project = former_parent.removeprefix("urn:pulumi:").split("::", 2)[:2]
    return make_urn(stack, project, former_parent, type_, name)
