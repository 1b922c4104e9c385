"""RES: nothing is, or leads, outside the jurisdiction."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

import catalog
from policies import examples, vocabulary
from policies.context import Declared
from policies.edges import places, regions
from policies.rule import Example, ExampleResource, Rule
from policies.subject import COMPONENT_PROVIDER, Property, Resource, Stack, canonical_type, provider_package
from policies.terms import region_id
from policies.verdict import Finding, NotApplicable, meet, unknown

_GLOBAL = "global"
_PLACE = re.compile(r"(?:location|region|zone)s?(?:name)?$", re.IGNORECASE)
"""Ends the name of a property that says where something is: `targetRegions`, `locationName`."""
_REGION = re.compile(r"(?:regions?(?:name)?|locations|distribute|replication(?:configuration)?)$", re.IGNORECASE)
"""Ends the name of a property that is about regions, whatever it holds."""
_ZONE = re.compile(r"-?[a-z]$")
"""What a zone's name has beyond its region's: `us-central1-a`, `us-east-1a`."""


def _is_placed(resource: Resource) -> None:
    """Raise `NotApplicable` for what exists in the program only."""
    if resource.is_stack or resource.is_component:
        raise NotApplicable("groups resources and is in no place itself")
    if resource.is_provider:
        raise NotApplicable("a provider is judged by RES-03")
    if resource.is_stack_reference:
        raise NotApplicable("reads what another stack exports, and makes nothing")


def _inside(resource: Resource, declared: Declared) -> Iterator[Finding]:
    _is_placed(resource)
    locations = vocabulary.locations_of(resource)
    judged = {location.path for location in locations}
    elsewhere = [(path, text) for path, text in _places(resource.props.value) if path not in judged]
    if not locations and not elsewhere:
        raise NotApplicable("names no location; RES-02 judges whether it may")
    for location in locations:
        yield from _location(location, declared)
    for path, text in elsewhere:
        yield from _further(path, text, declared)


def _places(value: object, path: str = "", *, named: bool = False) -> Iterator[tuple[str, str | None]]:
    """Path and text of what in `value` is named for a place, or is in a list that is (`named`).

    None for regions that only the deployment tells; of a location or a zone the name alone may be about a path or DNS.
    """
    if isinstance(value, str):
        if named:
            yield path, value
    elif isinstance(value, Mapping):
        for name in value:
            below = f"{path}.{name}" if path else name
            is_place = _PLACE.search(name) is not None or (named and name == "name")
            try:
                yield from _places(value[name], below, named=is_place)
            except UnknownValueError:
                if _REGION.search(name):
                    yield below, None
    elif isinstance(value, Sequence):
        for index in range(len(value)):
            below = f"{path}[{index}]"
            try:
                yield from _places(value[index], below, named=named)
            except UnknownValueError:
                if _REGION.search(path):
                    yield below, None


def _further(path: str, text: str | None, declared: Declared) -> Iterator[Finding]:
    """One of a type's further places, of which only those count that are the name of a region, a zone or a country."""
    allowed = ", ".join(declared.regions)
    if text is None:
        yield unknown(path, allowed)
        return
    known = places(declared.cloud.id)
    named = region_id(text)
    place = named if named in known else _ZONE.sub("", named)
    if place in known and not declared.contains(known[place]):
        yield Finding(path, f"is '{place}' ({known[place]}), outside {declared.area}", allowed)


def _location(location: Property, declared: Declared) -> Iterator[Finding]:
    region = region_id(location.text or "")
    if region == _GLOBAL:
        return  # RES-02 judges which types may be global.
    known = regions(declared.cloud.id)
    allowed = ", ".join(declared.regions) or f"no region of {declared.cloud.id} is inside {declared.area}"
    if region not in known:
        nearest = catalog.nearest(region, known)
        hint = f" (nearest: {nearest})" if nearest else ""
        yield Finding(location.path, f"is not a region of {declared.cloud.id} that the catalogue knows{hint}", allowed)
    elif region not in declared.regions:
        yield Finding(location.path, f"is '{region}' ({known[region]}), outside {declared.area}", allowed)


RES_01 = Rule(
    id="RES-01",
    title="Every location is inside the jurisdiction",
    why="A resource outside the jurisdiction answers to another law, whatever its encryption.",
    severity=Severity.CRITICAL,
    remediation="set bailiwick:location, or the resource's own location, to one of the allowed regions",
    check=_inside,
    passing=Example("A vault in Germany, in a stack that may not leave Germany.", (examples.VAULT,)),
    failing=(
        Example("A vault in Virginia.", (examples.but(examples.VAULT, {"location": "eastus"}),)),
        Example(
            "A vault in the Netherlands is inside the EU, but not inside Germany.",
            (examples.but(examples.VAULT, {"location": "West Europe"}),),
        ),
        Example(
            "A Managed HSM in Germany that is replicated to Switzerland.",
            (
                ExampleResource(
                    "azure-native:keyvault:ManagedHsm",
                    "hsm",
                    {
                        "location": examples.LOCATION,
                        "properties": {"regions": [{"name": "switzerlandnorth", "isPrimary": False}]},
                    },
                ),
            ),
        ),
        Example(
            "An image that is built in Germany and distributed to Virginia too.",
            (
                ExampleResource(
                    "azure-native:virtualmachineimages:VirtualMachineImageTemplate",
                    "image",
                    {
                        "location": examples.LOCATION,
                        "distribute": [{"type": "SharedImage", "replicationRegions": [examples.LOCATION, "eastus"]}],
                    },
                ),
            ),
        ),
        Example(
            "A region that the catalogue does not know is not trusted to be anywhere.",
            (examples.but(examples.VAULT, {"location": "germanywestcentrale"}),),
        ),
    ),
)


def _listed(resource: Resource, declared: Declared) -> Iterator[Finding]:
    _is_placed(resource)
    stated = [region_id(location.text or "") for location in vocabulary.locations_of(resource)]
    if stated and _GLOBAL not in stated:
        raise NotApplicable("names its locations; RES-01 judges them")
    if _may_group(resource):
        raise NotApplicable("is made by no provider; the rule for the stack judges whether it groups what is")
    if vocabulary.family_of(resource.package) != declared.cloud.provider:
        yield _of_nobody(declared)
    elif instead := vocabulary.bundle_of(resource):
        yield Finding("type", "makes objects that no rule sees", "objects that are resources of the stack", fix=instead)
    elif resource.type not in _global_types(declared.cloud.id):
        yield Finding("location", "is not in any region", f"a region of {declared.area}, or a type of the global list")


def _may_group(resource: Resource) -> bool:
    """Whether it may be a component of the program's own: the engine names a provider for everything else."""
    return resource.provider is None and vocabulary.family_of(resource.package) is None


def _of_nobody(declared: Declared, on: Resource | None = None) -> Finding:
    return Finding(
        "type",
        f"is of a package that the rules for {declared.cloud.id} cannot judge",
        f"types of the packages that provision {declared.cloud.id}, and components of them",
        on,
        fix="make the resource through a package that the policy pack knows, or in a stack of its own",
    )


def _unpacked(stack: Stack, declared: Declared) -> Iterator[Finding]:
    """Components are judged by what is below them, and so are manifests, of which one that is known only after
    deployment has no objects yet."""
    for group in stack.resources:
        known = group.is_stack or group.is_component or group.is_provider or group.is_stack_reference
        if not known and _may_group(group) and group.urn not in stack.parents:
            yield _of_nobody(declared, group)
        manifest = vocabulary.grouping_of(group)
        if manifest is not None and group.urn not in stack.parents:
            found = "has no object that can be judged before it is deployed"
            fix = "state the manifest as text or files that depend on no resource, or its objects as resources"
            yield Finding(manifest.path, found, "objects that are resources below this one", group, fix=fix)


@cache
def _global_types(cloud: str) -> frozenset[str]:
    """The catalogue's list, with types spelled as `Resource.type` is."""
    return frozenset(canonical_type(token) for token in catalog.load().global_types(cloud))


RES_02 = Rule(
    id="RES-02",
    title="What has no location is on the global list",
    why="A type without a region is served from anywhere; each one that may be is listed with the reason.",
    severity=Severity.CRITICAL,
    remediation="state a location, or add the type with its reason to global_types in catalog/data",
    check=_listed,
    check_stack=_unpacked,
    passing=Example(
        "A private DNS zone is global: it holds names and private addresses only.",
        (
            ExampleResource("azure-native:privatedns:PrivateZone", "zone", {"location": "Global"}),
            examples.KEY,
        ),
    ),
    failing=(
        Example(
            "A Front Door profile is served from every country.",
            (ExampleResource("azure-native:cdn:Profile", "front", {"location": "Global"}),),
        ),
        Example(
            "A type that the list does not have states no location.",
            (ExampleResource("azure-native:search:Service", "index", {"sku": {"name": "standard"}}),),
        ),
        Example(
            "A resource of a package that no rule can read.",
            (ExampleResource("datadog:index/monitor:Monitor", "watch", {}),),
        ),
    ),
)


def _leads_inside(resource: Resource, declared: Declared) -> Iterator[Finding]:
    if resource.is_stack_reference:
        raise NotApplicable("reads what another stack exports, and makes nothing")
    if resource.type == COMPONENT_PROVIDER:
        raise NotApplicable("hosts components for other languages, which make everything through other providers")
    if resource.is_provider:
        yield from _provider(provider_package(resource.type), resource.props, declared, "")
    elif resource.provider is not None:
        provider = resource.provider
        yield from _provider(provider.package, provider.props, declared, f"provider '{provider.name}' ")
    else:
        raise NotApplicable("is made by no provider")


def _provider(package: str, props: Property, declared: Declared, whose: str) -> Iterator[Finding]:
    if vocabulary.family_of(package) != declared.cloud.provider:
        yield Finding(
            f"{whose}package",
            f"does not provision {declared.cloud.id}",
            f"providers of {declared.cloud.id}, which the rules can judge",
            fix="move the resources of other providers to a stack of their own",
        )
        return
    for wanted in vocabulary.provider_settings_of(package, props, declared):
        for finding in meet(wanted):
            yield Finding(f"{whose}{finding.path}", finding.found, finding.allowed, unknown=finding.unknown)


RES_03 = Rule(
    id="RES-03",
    title="Every provider leads to the stack's cloud, area and account",
    why="A provider with another region, endpoint, partition or account carries every resource made through it away.",
    severity=Severity.CRITICAL,
    remediation="configure the provider from the stack's own bailiwick: settings",
    check=_leads_inside,
    passing=Example("A provider for the public Azure cloud, in Germany.", (examples.PROVIDER,)),
    failing=(
        Example(
            "A provider for the cloud of the United States government.",
            (examples.but(examples.PROVIDER, {"environment": "usgovernment"}),),
        ),
        Example(
            "A provider whose default location is in Virginia.",
            (examples.but(examples.PROVIDER, {"location": "eastus"}),),
        ),
        Example(
            "A provider that takes cloud and subscription from whoever runs it.",
            (examples.but(examples.PROVIDER, {"environment": None, "subscriptionId": None}),),
        ),
        Example(
            "A provider with a control plane of its own.",
            (examples.but(examples.PROVIDER, {"metadataHost": "management.example.org"}),),
        ),
        Example(
            "A provider for another subscription than the stack's.",
            (examples.but(examples.PROVIDER, {"subscriptionId": "7d0f0d1e-0000-4000-8000-000000000001"}),),
        ),
        Example(
            "A provider of another cloud.",
            (ExampleResource("pulumi:providers:aws", "aws", {"region": "eu-central-1"}),),
        ),
    ),
)


RULES = (RES_01, RES_02, RES_03)
