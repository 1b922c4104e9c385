"""ATT, continued: what the region's own verifier is told to accept.

It is told by its guest configuration (`verifier.config`), which the component states and its machines get at boot.
Both are judged: what counts is what the machine gets.
"""

import base64
import binascii
import json
from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.conditions import AtLeast, OneOf
from policies.context import Declared, today
from policies.guest import is_snp, key_policies, verifier_configurations
from policies.rule import Example, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import Setting
from policies.verdict import Finding, NotApplicable, require

LONGEST_UNREVIEWED = 180
"""Days after which a floor says little: vendors publish several bulletins in that time."""
LONGEST_TOKEN = 3600
"""Seconds that an attestation result may be used for."""


def _referenced(resource: Resource, _: Declared) -> Iterator[Finding]:
    for configuration in verifier_configurations(resource):
        keys = [key.text or "" for key in configuration.at("build_keys").items()]
        signed: set[str] = set()
        for envelope in configuration.at("reference_values").items():
            names = _signed_names(envelope, keys)
            signed |= names
            if not names:
                yield Finding(envelope.path, "is not signed by a key of build_keys", "a signed in-toto statement")
        for guarded in configuration.at("resources").items():
            images = guarded.at("policy", "images")
            if not images.items():
                yield Finding(images.path, "names no image", "every image that may have the key")
            for image in images.items():
                if image.text not in signed:
                    yield Finding(
                        image.path, "is an image without a signed reference value", "an image of reference_values"
                    )


def _signed_names(envelope: Property, keys: list[str]) -> set[str]:
    """Subjects of a DSSE envelope (protocol 1.0.2) that one of `keys` signed, none if none did."""
    kind = (envelope.at("payloadType").text or "").encode()
    try:
        payload, statement = _statement(envelope)
        signatures = [
            base64.b64decode(one.at("sig").text or "", validate=True) for one in envelope.at("signatures").items()
        ]
        names = {subject["name"] for subject in statement["subject"] if isinstance(subject["name"], str)}
    except (ValueError, TypeError, KeyError, RecursionError):
        return set()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    return names if any(_verifies(key, one, signed) for key in keys for one in signatures) else set()


def _statement(envelope: Property) -> tuple[bytes, Any]:
    """The in-toto statement in an envelope, as bytes and read; raises `ValueError` or `RecursionError`."""
    payload = base64.b64decode(envelope.at("payload").text or "", validate=True)
    return payload, json.loads(payload)


def _verifies(pem: str, signature: bytes, signed: bytes) -> bool:
    try:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, signed, ec.ECDSA(hashes.SHA384()))
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True


_CONFIGURED = examples.VERIFIER_CONFIGURED
_POLICY = "guestConfiguration.resources.0.policy"

ATT_02 = Rule(
    id="ATT-02",
    title="Every image that may have a key has a reference value, signed by the build",
    why="Without it the verifier would have to take the machine's own word for what it runs.",
    severity=Severity.CRITICAL,
    remediation="add the image's signed reference value (stacks/reference-values) and the build key",
    check=_referenced,
    passing=Example("One key, one image, one signed reference value.", (_CONFIGURED,)),
    failing=(
        Example("No reference value.", (examples.but(_CONFIGURED, {"guestConfiguration.reference_values": []}),)),
        Example(
            "A reference value that nobody known has signed.",
            (examples.but(_CONFIGURED, {"guestConfiguration.build_keys": []}),),
        ),
        Example(
            "A key for an image that nobody built.",
            (examples.but(_CONFIGURED, {f"{_POLICY}.images": ["inference-guest-9.9.9"]}),),
        ),
        Example("A key for whatever runs.", (examples.but(_CONFIGURED, {f"{_POLICY}.images": []}),)),
    ),
)


def _floors(resource: Resource, declared: Declared) -> Iterator[Finding]:
    for configuration in verifier_configurations(resource):
        for guarded in configuration.at("resources").items():
            policy = guarded.at("policy")
            tees = policy.at("tee").items()
            if tees and not any(is_snp(tee) for tee in tees):
                continue  # Intel says which firmware is up to date, and the verifier asks for that
            floors = policy.at("minimum_tcb")
            known = [floors.at(part) for part in ("bootloader", "tee", "snp", "microcode")]
            for floor in known:
                yield from require(Setting(floor, AtLeast(0, "as a security version number")))
            if not floors.unknown and not any(floor.stated and floor.value for floor in known):
                yield Finding(
                    floors.path, "is zero throughout, which any firmware satisfies", "versions that are in force"
                )
            if not declared.emulated:
                yield from _reviewed(policy, configuration)


def _reviewed(policy: Property, configuration: Property) -> Iterator[Finding]:
    """Nothing if the newest reference value of the policy's images, which states the floors, is new enough."""
    images = {image.text for image in policy.at("images").items()}
    days = [day for envelope in configuration.at("reference_values").items() for day in _built(envelope, images)]
    allowed = f"floors of a reference value of the last {LONGEST_UNREVIEWED} days"
    if not days:
        yield Finding(policy.at("minimum_tcb").path, "comes from no reference value that says its day", allowed)
    elif (today() - max(days)).days > LONGEST_UNREVIEWED:
        yield Finding(policy.at("minimum_tcb").path, "is too old: firmware has been mended since", allowed)


def _built(envelope: Property, images: Collection[str | None]) -> Iterator[date]:
    """The day on which the reference value of one of `images` was made."""
    try:
        _, statement = _statement(envelope)
        if any(subject["name"] in images for subject in statement["subject"]):
            yield datetime.fromisoformat(statement["predicate"]["built_at"]).date()
    except (ValueError, TypeError, KeyError, RecursionError):
        return


ATT_04 = Rule(
    id="ATT-04",
    title="Each key asks for a minimum firmware, as of the last 180 days",
    why="A genuine report from firmware with a known hole proves that the hole is genuine.",
    severity=Severity.HIGH,
    remediation="set minimum_tcb to the versions that the vendor's current bulletin asks for",
    check=_floors,
    passing=Example("A floor for each part of the firmware.", (_CONFIGURED,)),
    failing=(
        Example("No floor.", (examples.but(_CONFIGURED, {f"{_POLICY}.minimum_tcb": None}),)),
        Example("One part without a floor.", (examples.but(_CONFIGURED, {f"{_POLICY}.minimum_tcb.microcode": None}),)),
        Example(
            "Floors of last year, in a region that is real.",
            (
                examples.but(
                    _CONFIGURED,
                    {
                        "guestConfiguration.reference_values": [
                            examples.reference_value("inference-guest-1.0.0", "2025-11-23T00:00:00+00:00")
                        ]
                    },
                ),
            ),
            {"emulated": "false"},
        ),
        Example(
            "Floors of zero.",
            (
                examples.but(
                    _CONFIGURED, {f"{_POLICY}.minimum_tcb": dict.fromkeys(("bootloader", "tee", "snp", "microcode"), 0)}
                ),
            ),
        ),
    ),
)


def _closed_guests(resource: Resource, _: Declared) -> Iterator[Finding]:
    for policy in key_policies(resource):
        yield from require(Setting(policy.at("debug"), OneOf((False,))))
        yield from require(Setting(policy.at("migration"), OneOf((False,))))
        levels = policy.at("vmpl")
        if not levels.items():
            yield Finding(levels.path, "is not stated, so that any privilege level may ask", "[0]")
        for level in levels.items():
            if level.value != 0:
                yield Finding(level.path, "is a level other than 0", "0")


ATT_05 = Rule(
    id="ATT-05",
    title="No key for a guest that can be debugged, migrated, or asks from below",
    why="A host can read the memory of a guest whose policy allows debugging; a migration agent can, too.",
    severity=Severity.CRITICAL,
    remediation="set debug and migration to false and vmpl to [0] in the key's policy",
    check=_closed_guests,
    passing=Example("No debugging, no migration, privilege level 0.", (_CONFIGURED,)),
    failing=(
        Example("Debugging is allowed.", (examples.but(_CONFIGURED, {f"{_POLICY}.debug": True}),)),
        Example("Migration is not mentioned.", (examples.but(_CONFIGURED, {f"{_POLICY}.migration": None}),)),
        Example("Any privilege level may ask.", (examples.but(_CONFIGURED, {f"{_POLICY}.vmpl": []}),)),
        Example("Level 2 may ask.", (examples.but(_CONFIGURED, {f"{_POLICY}.vmpl": [0, 2]}),)),
        Example(
            "So says the machine, whatever the component says.",
            (examples.but(examples.VERIFIER_VM, {"userData": examples.told({f"{_POLICY}.debug": True})}),),
        ),
    ),
)


def _short_lived(resource: Resource, _: Declared) -> Iterator[Finding]:
    if settings := vocabulary.freshness_of(resource):
        for setting in settings:
            yield from require(setting)
        return
    for policy in key_policies(resource):
        lifetime = policy.at("max_token_seconds")
        allowed = f"at most {LONGEST_TOKEN} seconds"
        value = lifetime.value
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= LONGEST_TOKEN:
            yield Finding(lifetime.path, "is not stated" if value is None else "is too long, or no number", allowed)


ATT_06 = Rule(
    id="ATT-06",
    title="Attestation results are fresh, the verifier's own, and good for an hour at most",
    why="A result tells what a machine was when it was asked; a key an hour later needs to ask again.",
    severity=Severity.HIGH,
    remediation=f"set max_token_seconds to {LONGEST_TOKEN} or less; for a Key Broker Service, durations of 60 minutes "
    "or less and no insecure key",
    confirm="that a verifier of another make asks for a nonce of its own and for the guest's key in the evidence; "
    "Bailiwick's and the Key Broker Service of Confidential Containers take none without both, whatever is configured.",
    check=_short_lived,
    passing=Example("Five minutes.", (_CONFIGURED,)),
    failing=(
        Example("A day.", (examples.but(_CONFIGURED, {f"{_POLICY}.max_token_seconds": 86_400}),)),
        Example("For ever, because nobody said.", (examples.but(_CONFIGURED, {f"{_POLICY}.max_token_seconds": None}),)),
    ),
)


_CONNECTION = {"name": "attestation", "privateLinkServiceId": "/subscriptions/example", "groupIds": ["Standard"]}
_DOOR = examples.but(
    examples.VAULT_DOOR,
    {"privateLinkServiceConnections": [_CONNECTION]},
    name="attestation-endpoint",
    uses={"privateLinkServiceConnections": ("attestation",)},
)


def _private_verifier(resource: Resource, _: Declared) -> Iterator[Finding]:
    settings = vocabulary.managed_verifier_of(resource)
    if not settings:
        raise NotApplicable("is no attestation service of the cloud")
    for setting in settings:
        yield from require(setting)


def _behind_a_door(stack: Stack, _: Declared) -> Iterator[Finding]:
    verifiers = [one for one in stack.resources if vocabulary.managed_verifier_of(one)]
    if not verifiers:
        raise NotApplicable("the stack has no attestation service of the cloud")
    doors = [(one, door.target) for one in stack.resources if (door := vocabulary.private_door_of(one)) and door.target]
    led_to = [one for resource, target in doors for one in stack.references(resource, target.through)]
    for verifier in verifiers:
        if verifier not in led_to:
            found = "is missing: none of this stack leads to it"
            yield Finding("private endpoint", found, "one private endpoint or more", verifier)


ATT_08 = Rule(
    id="ATT-08",
    title="The cloud's attestation service is private and knows its callers",
    why="A shared or public provider answers anybody, under a policy that somebody else may change.",
    severity=Severity.HIGH,
    remediation="disable public network access, enable authentication, and add a private endpoint",
    confirm="that the provider has an attestation policy of your own, which is set in the data plane: no resource "
    "shows it.",
    check=_private_verifier,
    check_stack=_behind_a_door,
    passing=Example(
        "A provider without a public network, and the private endpoint that leads to it.",
        (examples.ATTESTATION_PROVIDER, _DOOR),
    ),
    failing=(
        Example(
            "A public provider.",
            (examples.but(examples.ATTESTATION_PROVIDER, {"properties.publicNetworkAccess": "Enabled"}), _DOOR),
        ),
        Example(
            "A provider that asks nobody who they are.",
            (
                examples.but(examples.ATTESTATION_PROVIDER, {"properties.tpmAttestationAuthentication": "Disabled"}),
                _DOOR,
            ),
        ),
        Example("A closed provider that nobody can reach.", (examples.ATTESTATION_PROVIDER,)),
    ),
)

RULES = (ATT_02, ATT_04, ATT_05, ATT_06, ATT_08)
