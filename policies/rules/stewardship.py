"""KEY and REL, continued: keys that are renewed and watched, and roles that no person has."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.rules.logs import shortcomings_of
from policies.subject import Resource, Stack
from policies.terms import Key
from policies.verdict import Finding, NotApplicable, require


def _wrapping_key(resource: Resource) -> Key:
    key = vocabulary.key_of(resource)
    if key is None:
        raise NotApplicable("is not a key")
    if key.exportable.flag:
        raise NotApplicable("is released under a policy that names an image: the next image has a key of its own")
    if key.wraps is False:
        raise NotApplicable("encrypts no other keys")
    return key


def _rotated(resource: Resource, _: Declared) -> Iterator[Finding]:
    key = _wrapping_key(resource)
    unmet = [list(require(setting)) for setting in key.rotation]
    if not unmet:
        yield Finding("rotation", "is not scheduled", "a new version every 90 days or sooner")
    elif all(unmet):
        for findings in unmet:
            yield from findings


_ROTATION = "properties.rotationPolicy.lifetimeActions.0.trigger.timeAfterCreate"

KEY_04 = Rule(
    id="KEY-04",
    title="Keys that wrap other keys are rotated every 90 days or sooner",
    why="What one version can decrypt is what is lost with it.",
    severity=Severity.HIGH,
    remediation="give the key a rotation policy of 90 days or less (bailiwick:keys.rotationDays)",
    confirm="that the keeper of a key that its cloud cannot rotate does so as the key's `key-rotation` says (a tag on "
    "AWS, a label on Google Cloud; `P90D`, or `7776000s`): AWS rotates no key in a key store of one's own, and Google "
    "none that a manual connection to an external key manager names.",
    check=_rotated,
    passing=Example("A new version every 90 days.", (examples.WRAPPING_KEY,)),
    failing=(
        Example("Once a year.", (examples.but(examples.WRAPPING_KEY, {_ROTATION: "P1Y"}),)),
        Example("Never.", (examples.but(examples.WRAPPING_KEY, {"properties.rotationPolicy": None}),)),
        Example(
            "Never, for a key that decrypts what others have wrapped.",
            (
                examples.but(
                    examples.WRAPPING_KEY, {"properties.rotationPolicy": None, "properties.keyOps": ["unwrapKey"]}
                ),
            ),
        ),
        Example(
            "A reminder instead of a rotation.",
            (
                examples.but(
                    examples.WRAPPING_KEY, {"properties.rotationPolicy.lifetimeActions.0.action.type": "notify"}
                ),
            ),
        ),
    ),
)


def _expires(resource: Resource, _: Declared) -> Iterator[Finding]:
    key = _wrapping_key(resource)
    if not key.expiry:
        raise NotApplicable("is a key of a cloud whose versions have no end")
    for place in key.expiry:
        if place.unknown:
            place.value  # noqa: B018 - raises `UnknownProperty`
    if not any(place.stated for place in key.expiry):
        yield Finding(key.expiry[0].path, "is not stated, and neither is another end of validity", "a day or a period")


KEY_05 = Rule(
    id="KEY-05",
    title="Versions of keys expire",
    why="A version that nobody uses any more should stop working before somebody else finds a use for it.",
    severity=Severity.MEDIUM,
    remediation="state an expiry time in the key's rotation policy",
    check=_expires,
    passing=Example("A version is valid for 120 days.", (examples.WRAPPING_KEY,)),
    failing=(
        Example(
            "A version is valid for ever.",
            (examples.but(examples.WRAPPING_KEY, {"properties.rotationPolicy.attributes": None}),),
        ),
    ),
)


def _watched(stack: Stack, _: Declared) -> Iterator[Finding]:
    stores = [(one, store) for one in stack.resources if (store := vocabulary.key_store_of(one))]
    if not stores:
        raise NotApplicable("the stack has no store of keys")
    watched = [(one, api.text) for one in stack.resources for api in vocabulary.watched_apis_of(one)]
    observed = [
        (one, stack.references(one, stream.observed.through))
        for one in stack.resources
        if (stream := vocabulary.audit_stream_of(one))
    ]
    lacking = shortcomings_of(stack)
    for resource, store in stores:
        by_itself = [one for one, seen in observed if resource in seen]
        by_api = [one for one, api in watched if store.api is not None and api == store.api]
        if not by_itself and not by_api:
            yield Finding(
                "audit stream", "is missing: no stream of this stack observes it", "one stream or more", resource
            )
        elif all(lacking.get(one) for one in (*by_itself, *by_api)):
            yield from (found for stream in (*by_itself, *by_api) for found in lacking[stream])


KEY_07 = Rule(
    id="KEY-07",
    title="Every store of keys is audited, and the records are kept",
    why="A release of a key that nobody wrote down cannot be told from one that never happened.",
    severity=Severity.HIGH,
    remediation="stream the store's audit records (LOG-01 judges where to)",
    check_stack=_watched,
    passing=Example("A vault and its stream.", (examples.VAULT, examples.AUDIT_STORE, examples.AUDIT_STREAM)),
    failing=(
        Example("A vault without a stream.", (examples.VAULT,)),
        Example(
            "A stream to a store that keeps nothing, beside another vault's, which is whole.",
            (
                examples.VAULT,
                examples.AUDIT_STORE,
                examples.AUDIT_STREAM,
                examples.but(examples.VAULT, {}, name="second"),
                examples.but(examples.AUDIT_STORE, {"immutableStorageWithVersioning": None}, name="scratch"),
                examples.but(
                    examples.AUDIT_STREAM,
                    {},
                    name="second-audit",
                    uses={"resourceUri": ("second",), "storageAccountId": ("scratch",)},
                ),
            ),
        ),
        Example(
            "A stream that observes something else.",
            (
                examples.VAULT,
                examples.AUDIT_STORE,
                examples.but(examples.AUDIT_STREAM, {}, uses={"storageAccountId": ("audit",)}),
            ),
        ),
    ),
)


def _held_by_workloads(resource: Resource, _: Declared) -> Iterator[Finding]:
    holder = vocabulary.holder_of(resource)
    if holder is None:
        raise NotApplicable("gives nobody a role")
    yield from require(holder)


_ASSIGNMENT = ExampleResource(
    "azure-native:authorization:RoleAssignment",
    "verifier-unwrap",
    {"principalType": "ServicePrincipal", "scope": "/subscriptions/example"},
)

REL_07 = Rule(
    id="REL-07",
    title="Roles are given to workloads, and to no person",
    why="A person with the release permission is a way to the key that no attestation guards.",
    severity=Severity.CRITICAL,
    remediation="assign the role to the workload's managed identity; let people act through a reviewed pipeline",
    check=_held_by_workloads,
    passing=Example("A managed identity.", (_ASSIGNMENT,)),
    failing=(
        Example("A person.", (examples.but(_ASSIGNMENT, {"principalType": "User"}),)),
        Example("A group, with whoever is added to it.", (examples.but(_ASSIGNMENT, {"principalType": "Group"}),)),
        Example(
            "An entry of a vault's own list, which says nothing of who it is.",
            (
                ExampleResource(
                    "azure-native:keyvault:AccessPolicy",
                    "reader",
                    {"policy": {"objectId": "3f1c9d2e", "permissions": {"keys": ["release"]}}},
                ),
            ),
        ),
        Example("Somebody, but of which kind?", (examples.but(_ASSIGNMENT, {"principalType": None}),)),
    ),
)

RULES = (KEY_04, KEY_05, KEY_07, REL_07)
