"""KEY, continued: keys of the customer's own, in the workload's country."""

from collections.abc import Iterator
from typing import Any

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.edges import edges, places
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import Origin, region_id
from policies.verdict import Finding, NotApplicable, meet, unknown


def _own_key(resource: Resource, declared: Declared) -> Iterator[Finding]:
    keys, hardware = vocabulary.service_keys_of(resource), vocabulary.own_hardware_of(resource)
    if not keys and not hardware:
        raise NotApplicable("encrypts nothing for the cloud's services")
    if not declared.handles("confidential"):
        raise NotApplicable("the stack handles nothing confidential")
    for key in keys:
        if not key.stated:
            yield Finding(key.path, "is not stated, so that the cloud's own key encrypts", "a key of the customer's")
    if declared.handles(declared.own_hardware_from):
        for one in hardware:
            if not isinstance(one, Origin):
                yield from meet(one)
            elif not one.setting.property.unknown:  # until then the rule for the stack judges it
                yield from meet(one.setting)


def _own_key_by_origin(stack: Stack, declared: Declared) -> Iterator[Finding]:
    if not declared.handles(declared.own_hardware_from):
        raise NotApplicable("the stack handles nothing that needs an HSM which nobody shares")
    for resource in stack.resources:
        for one in vocabulary.own_hardware_of(resource):
            if isinstance(one, Origin) and one.setting.property.unknown:
                made_by = {other.type for other in stack.references(resource, one.through) if _keeps_keys(other)}
                if not made_by or not made_by <= one.makers:
                    yield unknown(one.setting.property.path, one.setting.condition.allowed, resource)


def _keeps_keys(resource: Resource) -> bool:
    return vocabulary.key_store_of(resource) is not None or vocabulary.key_of(resource) is not None


_SECRET = {"dataClass": "secret"}
_DISK_KEY = examples.but(
    examples.DISK_KEY, {"activeKey": {"keyUrl": "https://platform.managedhsm.azure.net/keys/disks/7"}}
)

KEY_02 = Rule(
    id="KEY-02",
    title="Services encrypt with the customer's keys, sensitive data with keys of an HSM that nobody shares",
    why="A key of the cloud's own is the operator's to use; a shared HSM is the operator's to administer.",
    severity=Severity.HIGH,
    remediation="name a customer's key by its URL, of a Managed HSM (bailiwick:keys.service), an external key manager "
    "(bailiwick:keys.externalManager) or a key store of your own",
    confirm="who may administer that HSM, which its security domain or its operator and not the stack decides, and "
    "that what goes to storage accounts of Azure and buckets of Google Cloud is encrypted before, as models are. Keys "
    "of an HSM that nobody shares are asked for from confidential data on, and on Azure from secret data on: AKS takes "
    "no key of a Managed HSM, so that no region with a cluster could have them all there. A team decides otherwise in "
    'the policy config: `{"KEY-02": {"ownHardwareFrom": "confidential"}}` asks for them on Azure too, and `"secret"` '
    "lets confidential data be under keys of an HSM that the cloud's customers share.",
    check=_own_key,
    check_stack=_own_key_by_origin,
    settings={
        "ownHardwareFrom": {
            "type": "string",
            "enum": ["confidential", "secret"],
            "description": "Class of data from which keys must be of an HSM that nobody shares, or outside the cloud.",
        }
    },
    passing=Example("Disks of secret data under a key of a Managed HSM.", (_DISK_KEY,), _SECRET),
    failing=(
        Example("Disks under the platform's key.", (examples.DISK_KEY,)),
        Example(
            "A database under the platform's key.",
            (ExampleResource("azure-native:sql:Server", "records", {"location": examples.LOCATION}),),
        ),
        Example("Secret data, and a vault.", (_DISK_KEY, examples.VAULT), _SECRET),
        Example(
            "Secret data, and disks under a key of a vault.",
            (examples.but(_DISK_KEY, {"activeKey.keyUrl": "https://keys.vault.azure.net/keys/disks/7"}),),
            _SECRET,
        ),
    ),
)


def _one_region(resource: Resource, _: Declared) -> Iterator[Finding]:
    wanted = vocabulary.key_places_of(resource)
    if not wanted:
        raise NotApplicable("is nothing that could keep a key in several places")
    for one in wanted:
        yield from meet(one)


def _same_country(stack: Stack, declared: Declared) -> Iterator[Finding]:
    keys = list(_places(stack, "keys", lambda one: vocabulary.key_store_of(one) or vocabulary.key_of(one)))
    machines = list(_places(stack, "compute", vocabulary.machine_of))
    if not keys or not machines:
        raise NotApplicable("the stack has not both keys and machines in places that it states")
    countries = {_country(place, declared) for _, place in machines if not place.unknown}
    for resource, place in (*keys, *machines):
        if place.unknown:
            yield unknown(place.path, on=resource)
    for resource, place in keys:
        if not place.unknown and _country(place, declared) not in countries:
            found = "is in another country than the machines that use its keys"
            yield Finding(place.path, found, ", ".join(sorted(filter(None, countries))), resource)


def _places(stack: Stack, kind: str, is_one: Any) -> Iterator[tuple[Resource, Property]]:
    """Where keys or machines are: by their own locations, and by the graph."""
    for resource in stack.resources:
        if is_one(resource):
            yield from ((resource, place) for place in vocabulary.locations_of(resource))
    yield from ((region, edge.at("location")) for region, edge in edges(stack, kind))


def _country(place: Property, declared: Declared) -> str | None:
    """The narrowest jurisdiction of a region, or of a place that is named by it; None for what the catalogue does not
    know."""
    return places(declared.cloud.id).get(region_id(place.text or ""))


_HSM = ExampleResource(
    "azure-native:keyvault:ManagedHsm",
    "hsm",
    {
        "location": examples.LOCATION,
        "properties": {"regions": [{"name": examples.LOCATION, "isPrimary": True}]},
    },
)

KEY_09 = Rule(
    id="KEY-09",
    title="Keys are in one region, in the country of the machines that use them",
    why="A copy of a key elsewhere decrypts as well as the first, under another law and other hands.",
    severity=Severity.CRITICAL,
    remediation="keep vault and keys in the region of the machines, without replicas, multi-region keys or regions",
    check=_one_region,
    check_stack=_same_country,
    passing=Example("An HSM and a machine in Germany.", (_HSM, examples.VM)),
    failing=(
        Example(
            "An HSM that is extended to a second region.",
            (
                examples.but(_HSM, {"properties.regions": [{"name": "germanynorth", "isPrimary": False}]}),
                examples.VM,
            ),
        ),
        Example(
            "Keys in Ireland for machines in Germany, in a stack for the whole EU.",
            (examples.but(_HSM, {"location": "northeurope"}), examples.VM),
            {"jurisdiction": "EU"},
        ),
    ),
)


RULES = (KEY_02, KEY_09)
