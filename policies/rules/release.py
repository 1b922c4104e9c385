"""REL: to whom a key may be released. Judges the cloud's own policy language, so that hand-written ones count too."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from pulumi_policy import Severity

import catalog
from policies import examples, key_policies, vocabulary
from policies.context import Declared
from policies.examples import STRICT, claim
from policies.guest import all_verifier_configurations
from policies.release.model import Flaw, MalformedDocument, Way
from policies.rule import Example, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import Key
from policies.verdict import Finding, NotApplicable, require, unknown


def _released(resource: Resource) -> Key:
    """The key, if it is one that may leave its HSM."""
    key = vocabulary.key_of(resource)
    if key is None:
        raise NotApplicable("is not a key")
    if not key.exportable.flag and not key.release_document.stated:
        raise NotApplicable("the key never leaves its HSM")
    return key


def _has_policy(resource: Resource, _: Declared) -> Iterator[Finding]:
    key = _released(resource)
    document = key.release_document
    if not document.stated:
        yield Finding(document.path, "is not stated, and the key is exportable", "a release policy")
        return
    if key.exportable.flag and not key.releasable:
        yield Finding(
            key.exportable.path,
            "is true, but release is not among the key's operations",
            "false for a key that nobody has released",
            fix="make the key not exportable, or add release to its operations",
        )
    yield from _unreadable(resource, key)


def _unreadable(resource: Resource, key: Key) -> Iterator[Finding]:
    try:
        vocabulary.release_ways_of(resource, key)
    except MalformedDocument as error:
        yield Finding(key.release_document.path, f"cannot be judged: {error}", "a policy of the service's grammar")


def _ways(resource: Resource, key: Key) -> tuple[Way, ...]:
    """Every way to get the key; none for a document that cannot be read, which REL-01 refuses."""
    try:
        return vocabulary.release_ways_of(resource, key)
    except MalformedDocument:
        raise NotApplicable("the release policy cannot be read; REL-01 refuses it") from None


def _example_policy(says: str, *conditions: dict[str, object], authority: str | None = None) -> Example:
    policy = examples.release_policy(*conditions, **({"authority": authority} if authority else {}))
    return Example(says, (examples.but(examples.KEY, {"properties.releasePolicy.data": policy}),))


REL_01 = Rule(
    id="REL-01",
    title="An exportable key has a release policy, and a key that nobody needs released is not exportable",
    why="An exportable key without a policy is a key that anybody with the right role can take away.",
    severity=Severity.CRITICAL,
    remediation="compile the release policy with components.release, or make the key not exportable",
    check=_has_policy,
    passing=Example("A key that can be released, and the policy that says to whom.", (examples.KEY,)),
    failing=(
        Example(
            "An exportable key without a policy.",
            (examples.but(examples.KEY, {"properties.releasePolicy": None}),),
        ),
        Example(
            "A key that is exportable although it only wraps.",
            (examples.but(examples.KEY, {"properties.keyOps": ["wrapKey", "unwrapKey"]}),),
        ),
        Example(
            "A policy that is not JSON.",
            (examples.but(examples.KEY, {"properties.releasePolicy.data": examples.release_data("allow")}),),
        ),
        Example(
            "A policy in which a key is written twice, so that two readers see two policies.",
            (
                examples.but(
                    examples.KEY,
                    {
                        "properties.releasePolicy.data": examples.release_data(
                            '{"version":"1.0.0","anyOf":[],"anyOf":[]}'
                        )
                    },
                ),
            ),
        ),
    ),
)


def _local_authorities(resource: Resource, declared: Declared) -> Iterator[Finding]:
    if brokers := vocabulary.brokers_of(resource):
        for broker in brokers:
            yield from require(broker)
        return
    key = _released(resource)
    path = key.release_document.path
    allowed = f"attestation services of {', '.join(declared.regions)}"
    for place, authority in dict.fromkeys((way.path, way.authority) for way in _ways(resource, key)):
        host = _host(authority)
        region = host and vocabulary.location_of_verifier(resource, host, declared.cloud)
        if not region:
            found = f"{place}.authority is not an attestation service that the catalogue knows"
            yield Finding(path, f"at {found}", allowed)
        elif region not in declared.regions:
            where = catalog.load().region(declared.cloud.id, region).jurisdiction
            yield Finding(path, f"at {place}.authority trusts a verifier in '{region}' ({where})", allowed)


def _host(authority: str) -> str | None:
    """The host of `authority`, if that is an https origin and nothing more, so that no two readers differ on it."""
    try:
        parts = urlsplit(authority)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    plain = authority.removesuffix("/").lower() in {f"https://{host}", f"https://{host}:443"}
    return host if plain and port in (None, 443) else None


REL_02 = Rule(
    id="REL-02",
    title="Keys are released on the word of verifiers inside the jurisdiction only",
    why="Whoever signs the attestation token decides who gets the key; the vendor's sample trusts 59 authorities.",
    severity=Severity.CRITICAL,
    remediation="name only the attestation services of the jurisdiction's regions in the release policy, and a broker "
    "of the cluster in the init data of its pods",
    check=_local_authorities,
    passing=Example("The attestation service of the region.", (examples.KEY,)),
    failing=(
        _example_policy("The shared service of Virginia.", *STRICT, authority="sharedeus.eus.attest.azure.net"),
        _example_policy(
            "A provider of one's own, in the Netherlands.", *STRICT, authority="bailiwick.weu.attest.azure.net"
        ),
        _example_policy("A host that only looks like one.", *STRICT, authority="x.dewc.attest.azure.net.example.org"),
        _example_policy("A user name in front of the host.", *STRICT, authority="a.dewc.attest.azure.net@example.org"),
        Example(
            "One authority inside, one outside: the weaker one counts.",
            (
                examples.but(
                    examples.KEY,
                    {
                        "properties.releasePolicy.data": examples.release_data(
                            {
                                "version": "1.0.0",
                                "anyOf": [
                                    {"authority": f"https://{host}.attest.azure.net", "allOf": list(STRICT)}
                                    for host in ("shareddewc.dewc", "sharedneu.neu")
                                ],
                            }
                        )
                    },
                ),
            ),
        ),
    ),
)


_NAMELESS = (
    Flaw.ALLOWS_ALL,
    Flaw.VENDOR_DEFAULT,
    Flaw.NO_TEE,
    Flaw.NO_WORKLOAD,
    Flaw.DEBUGGABLE,
    Flaw.UNCONDITIONED,
    Flaw.UNCONDITIONED_GRANT,
)
"""With one of these a policy in another cloud's language releases to more than one known workload."""


def _pinned(resource: Resource, _: Declared) -> Iterator[Finding]:
    if told := list(all_verifier_configurations(resource)):
        yield from _pinned_by_broker(told)
    elif resource.package == "aws":
        yield from key_policies.of_aws(resource, *_NAMELESS)
    elif documents := vocabulary.release_documents_of(resource):
        for document in documents:
            yield from key_policies.flawed(document, *_NAMELESS)
    else:
        yield from _pinned_by_key(resource)


def _pinned_by_broker(told: Sequence[Property]) -> Iterator[Finding]:
    for configuration in told:
        for guarded in configuration.at("resources").items():
            images = guarded.at("policy", "images")
            if not images.items():
                yield Finding(images.path, "names no image, so that any workload would do", "images with signed values")


def _pinned_by_key(resource: Resource) -> Iterator[Finding]:
    key = _released(resource)
    path = key.release_document.path
    reported: set[tuple[str, str]] = set()
    for way in _ways(resource, key):
        for lacking, allowed in _weaknesses(way):
            if (way.path, lacking) not in reported:
                reported.add((way.path, lacking))
                yield Finding(path, f"at {way.path} releases {lacking}", allowed)


def _pinned_by_relation(stack: Stack, _: Declared) -> Iterator[Finding]:
    for grant, document in vocabulary.pool_grants_of(stack):
        if document.property.unknown:
            yield unknown(document.property.path, on=grant)
        else:
            yield from key_policies.flawed(document, Flaw.NO_WORKLOAD, on=grant)
    if any(one.package == "aws" for one in stack.resources):
        yield from key_policies.of_aws_in_part(stack, *_NAMELESS)


def _weaknesses(way: Way) -> Iterator[tuple[str, str]]:
    if not way.tees:
        yield "without asking for a TEE", "a condition on the TEE in every alternative"
    if not way.pins:
        yield "to any workload", "a launch measurement, host data or signer in every alternative"
    if not way.refuses_debug:
        yield "to a guest that its host can debug", "a condition that debugging is off in every alternative"


_DEBUG_OFF = claim("sevsnpvm-is-debuggable", value=False)

REL_03 = Rule(
    id="REL-03",
    title="A release policy names the workload, not only compliant hardware",
    why="Every tenant of the cloud has compliant hardware; only the measurement tells your image from theirs.",
    severity=Severity.CRITICAL,
    remediation="pin the image by its launch measurement, digest or signer, and refuse debuggable guests, in each "
    "alternative of the policy",
    confirm="that the one caller of an AWS key without a measurement is the region's verifier, whose broker pins the "
    "workload: KMS reads no evidence of SEV-SNP.",
    check=_pinned,
    check_stack=_pinned_by_relation,
    passing=Example("TEE, launch measurement and no debugging.", (examples.KEY,)),
    failing=(
        _example_policy(
            "The vendor's sample: any compliant confidential VM.",
            claim("attestation-type", "sevsnpvm"),
            claim("compliance-status", "azure-compliant-cvm"),
        ),
        _example_policy("Debuggable guests are not refused.", *STRICT[:3]),
        _example_policy(
            "A measurement of zeros, which a guest without one has.",
            claim("attestation-type", "sevsnpvm"),
            claim("sevsnpvm-launchmeasurement", "00" * 48),
            _DEBUG_OFF,
        ),
        _example_policy(
            "An alternative that asks for less than the others.",
            {"anyOf": [STRICT[2], claim("compliance-status", "azure-compliant-cvm")]},
            STRICT[0],
            _DEBUG_OFF,
        ),
        _example_policy("A measurement, but of what?", STRICT[2], _DEBUG_OFF),
    ),
)

RULES = (REL_01, REL_02, REL_03)
