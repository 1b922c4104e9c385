"""The plugin's side of the engine: it makes the components that a program in another language asks for.

Pulumi's own host (`pulumi.provider.experimental`) infers a schema from classes that it imports, and loses numbers,
lists of objects, and whatever is an Output inside of an object. This one serves the schema that the repository
publishes.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult, Provider

from catalog import UnknownFact
from components.arguments import camel_case
from components.errors import InputError
from components.hosted.inputs import read_args
from components.hosted.offered import NOT_HOSTED, SCHEMA_FILE, VERSION, Cloud, hosted
from components.hosted.outputs import outputs_of
from components.hosted.shapes import SPELLED_OUT
from components.naming import InvalidName
from components.reference_values import ReferenceValuesError
from components.release import ReleasePolicyError
from components.spec import RegionSpec, SpecError


class Host(Provider):
    """The plugin."""

    def __init__(self) -> None:
        super().__init__(VERSION, SCHEMA_FILE.read_text(encoding="utf-8"))

    def construct(
        self, name: str, resource_type: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Make one component, with its children, and give its outputs.

        Raises `InputPropertiesError`, which the engine shows without a traceback, for what the component refuses.
        """
        with _told_by_property():
            cloud, wanted = hosted(resource_type)
            args = read_args(wanted, inputs)
            options = _without_old_aliases(options or pulumi.ResourceOptions(), cloud)
            if spec := getattr(args, "spec", None):
                _refuse_dynamic(resource_type, spec)
                options = _with_provider(options, cloud, name, spec)
            made = wanted.component(name, args, options)
        return ConstructResult(made.urn, outputs_of(made))


def _without_old_aliases(options: pulumi.ResourceOptions, cloud: Cloud) -> pulumi.ResourceOptions:
    """The options, under which Azure's resources are registered as the stacks' own program registers them."""
    if cloud.folder != "azure":
        return options
    transformations = [import_module("components.azure").drop_version_aliases]
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(transformations=transformations))


def _with_provider(
    options: pulumi.ResourceOptions, cloud: Cloud, name: str, spec: RegionSpec
) -> pulumi.ResourceOptions:
    """The options of a region, with a provider of its own account and location unless its program gave it one."""
    if cloud.provider in (options.providers or {}):
        return options
    provider = import_module(f"components.{cloud.folder}.program").provider(f"{name}-{cloud.folder}", spec)
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(providers=[provider]))


def _refuse_dynamic(token: str, spec: RegionSpec) -> None:
    """Raise `InputError` for a region whose keys would be dynamic resources."""
    if spec.provider == "azure":
        hsm, vault = (import_module(f"components.azure.{one}").SERVICE for one in ("managed_hsm", "key_vault"))
        if spec.keys.service == hsm:
            problem = f"{hsm} is for programs in Python: {NOT_HOSTED['AzureManagedHsm']}"
            raise InputError(token, "keys.service", problem, vault)


@contextmanager
def _told_by_property() -> Iterator[None]:
    """What a component refuses, as the engine takes it: the path of a property, and its problem."""
    try:
        yield
    except SpecError as error:
        raise _refused((one.path, str(one).removeprefix(f"{one.path}: ")) for one in error.problems) from None
    except InputError as error:
        raise _refused([(error.field, str(error).removeprefix(f"{error.component}: {error.field}: "))]) from None
    except UnknownFact as error:
        raise InputPropertiesError(error.message) from None
    except (InvalidName, ReferenceValuesError, ReleasePolicyError) as error:
        raise InputPropertiesError(str(error)) from None


def _refused(problems: Iterable[tuple[str, str]]) -> InputPropertiesError:
    return InputPropertiesError("", [{"property_path": _path(field), "reason": reason} for field, reason in problems])


def _path(field: str) -> str:
    """A field as other languages have it: `placement.data_class` and `bailiwick:dataClass` are `dataClass`."""
    first, *rest = field.rpartition(":")[2].split(".")
    parts = rest if first in SPELLED_OUT and rest else [first, *rest]
    return ".".join(camel_case(part) for part in parts)
