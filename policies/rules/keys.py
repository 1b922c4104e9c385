"""KEY: keys that are born in hardware, reached in private, and not lost by accident."""

from collections.abc import Iterator

from pulumi_policy import Severity

import catalog
from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Resource, Stack
from policies.terms import KeyStore, PrivateDoor, Setting
from policies.verdict import Finding, NotApplicable, refuse, require


def _key_store(resource: Resource) -> KeyStore:
    store = vocabulary.key_store_of(resource)
    if store is None:
        raise NotApplicable("does not store keys")
    return store


def _in_hardware(resource: Resource, _: Declared) -> Iterator[Finding]:
    store, key = vocabulary.key_store_of(resource), vocabulary.key_of(resource)
    if store is None and key is None:
        raise NotApplicable("is neither a key nor a store of keys")
    if store is not None and store.hardware is not None:
        yield from require(store.hardware)
    if key is not None and key.hardware is not None:
        yield from require(key.hardware)


KEY_01 = Rule(
    id="KEY-01",
    title="Keys are in an HSM",
    why="A software key is a number in the operator's storage; one in an HSM cannot be copied out.",
    severity=Severity.CRITICAL,
    remediation="use a Premium vault or a Managed HSM, and a key type that ends in -HSM",
    check=_in_hardware,
    passing=Example("A Premium vault with an RSA-HSM key.", (examples.VAULT, examples.KEY)),
    failing=(
        Example(
            "A software key in a Premium vault.",
            (examples.VAULT, examples.but(examples.KEY, {"properties.kty": "RSA"})),
        ),
        Example(
            "A Standard vault has software keys only.",
            (examples.but(examples.VAULT, {"properties.sku.name": "standard"}),),
        ),
    ),
)


def _kept(resource: Resource, declared: Declared) -> Iterator[Finding]:
    weakness = vocabulary.weakness_of(resource, "destroyableKeys")
    if weakness is not None and not declared.emulated:
        yield Finding(weakness.path, "lets a deployment destroy every key, in a stack that is not emulated", "false")
        return
    key = vocabulary.key_of(resource)
    if key is not None and key.deletion_delay is not None:
        yield from require(key.deletion_delay)
        return
    store = _key_store(resource)
    if store.purge_protection is None or store.deletion_delay is None:
        raise NotApplicable("leaves it to each of its keys")
    yield from require(store.purge_protection)
    yield from require(store.deletion_delay)


def _purge_protection(resource: Resource) -> Iterator[Setting]:
    store = vocabulary.key_store_of(resource)
    if store is not None and store.purge_protection is not None:
        yield store.purge_protection


KEY_03 = Rule(
    id="KEY-03",
    title="A deleted key can be recovered for at least 30 days",
    why="A key that is gone takes every model and log with it; one mistake, or one intruder, must not suffice.",
    severity=Severity.HIGH,
    remediation="switch purge protection on and set the soft-delete retention to 30 days or more",
    check=_kept,
    remedy=_purge_protection,
    passing=Example("A vault with purge protection and 90 days of soft delete.", (examples.VAULT,)),
    failing=(
        Example(
            "Purge protection is off.",
            (examples.but(examples.VAULT, {"properties.enablePurgeProtection": False}),),
        ),
        Example(
            "Seven days pass before anybody notices.",
            (examples.but(examples.VAULT, {"properties.softDeleteRetentionInDays": 7}),),
        ),
        Example(
            "A region that is real, whose keys go with the deployment.",
            (ExampleResource("bailiwick:index:AzureKeyVault", "keys", {"destroyableKeys": True}),),
            {"emulated": "false"},
        ),
        Example(
            "The retention is left to a default.",
            (examples.but(examples.VAULT, {"properties.softDeleteRetentionInDays": None}),),
        ),
    ),
)


def _closed(resource: Resource, _: Declared) -> Iterator[Finding]:
    store, key = vocabulary.key_store_of(resource), vocabulary.key_of(resource)
    if store is None and not (key and key.closed):
        raise NotApplicable("does not store keys")
    for setting in _doors(resource):
        yield from require(setting)
    for opening in store.openings if store else ():
        yield from refuse(opening)


def _doors(resource: Resource) -> Iterator[Setting]:
    for found in (vocabulary.key_store_of(resource), vocabulary.key_of(resource)):
        if found is not None:
            yield from found.closed


def _has_private_door(stack: Stack, declared: Declared) -> Iterator[Finding]:
    stores = [(resource, store) for resource in stack.resources if (store := vocabulary.key_store_of(resource))]
    if not stores:
        raise NotApplicable("the stack has no store of keys")
    doors = [(resource, door) for resource in stack.resources if (door := vocabulary.private_door_of(resource))]
    for resource, store in stores:
        group = catalog.load().private_endpoint(declared.cloud.id, store.service).group_id
        prefix = declared.cloud.endpoint_prefix or ""
        region = store.region.text or "" if store.region is not None else ""
        host = group.replace("{region}", region).replace("{prefix}", prefix)
        if not any(_leads_to(stack, endpoint, door, resource, host) for endpoint, door in doors):
            yield Finding(
                "private endpoint",
                f"is missing: none of this stack leads to it with group '{group}'",
                "one private endpoint or more",
                resource,
            )


def _leads_to(stack: Stack, endpoint: Resource, door: PrivateDoor, store: Resource, group: str) -> bool:
    """Whether a door leads to the store by itself, or to the whole service that it is a part of."""
    if door.target is None:
        return door.host is not None and door.host.text == group
    return store in stack.references(endpoint, door.target.through) and any(one.text == group for one in door.groups)


KEY_06 = Rule(
    id="KEY-06",
    title="Key stores are reached through private endpoints only",
    why="An HSM on the public network is one stolen token away from anybody.",
    severity=Severity.CRITICAL,
    remediation="disable public network access, deny by default, and add a private endpoint; reach a key manager "
    "outside the cloud through a private network too",
    check=_closed,
    remedy=_doors,
    check_stack=_has_private_door,
    passing=Example("A closed vault with a private endpoint.", (examples.VAULT, examples.VAULT_DOOR)),
    failing=(
        Example(
            "Public network access is on.",
            (
                examples.but(examples.VAULT, {"properties.publicNetworkAccess": "Enabled"}),
                examples.VAULT_DOOR,
            ),
        ),
        Example(
            "Nothing is stated, and Azure's default is open.",
            (
                examples.but(examples.VAULT, {"properties.publicNetworkAccess": None, "properties.networkAcls": None}),
                examples.VAULT_DOOR,
            ),
        ),
        Example(
            "One public address is let through.",
            (
                examples.but(examples.VAULT, {"properties.networkAcls.ipRules": [{"value": "203.0.113.7"}]}),
                examples.VAULT_DOOR,
            ),
        ),
        Example("A closed vault that nobody can reach.", (examples.VAULT,)),
        Example(
            "A private endpoint that leads to another service of the same resource.",
            (
                examples.VAULT,
                examples.but(examples.VAULT_DOOR, {"privateLinkServiceConnections.0.groupIds": ["blob"]}),
            ),
        ),
    ),
)

RULES = (KEY_01, KEY_03, KEY_06)
