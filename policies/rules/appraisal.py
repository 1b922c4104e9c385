"""ATT, continued: what the region's own verifier is told to accept.

It is told by its guest configuration (`verifier.config`), which the component states and its machines get at boot.
Both are judged: what counts is what the machine gets.
"""

import base64
import binascii
import json
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.guest import decode
from policies.rule import Example, Rule
from policies.subject import Property, Resource
from policies.terms import AtLeast, OneOf, Setting
from policies.verdict import Finding, NotApplicable, require

LONGEST_TOKEN = 3600
"""Seconds that an attestation result may be used for."""
_ROLE = "verifier"


def _configurations(resource: Resource) -> Iterator[Property]:
    """What verifiers are told, decoded; raises `NotApplicable` where `resource` tells no verifier anything."""
    found = list(_told(resource))
    if not found:
        raise NotApplicable("configures no verifier")
    yield from found


def _told(resource: Resource) -> Iterator[Property]:
    if vocabulary.is_verifier(resource):
        yield resource.props.at("guestConfiguration")
    machine = vocabulary.machine_of(resource)
    for configuration in machine.guest_configurations if machine else ():
        try:
            told = decode(configuration.text or "")
        except ValueError:
            continue  # ATT-10 refuses what cannot be read, except in the sandbox
        if isinstance(told, dict) and told.get("role") == _ROLE:
            yield Property(configuration.path, told)


def _policies(resource: Resource) -> Iterator[Property]:
    """The release policy of each key that the verifier guards."""
    for configuration in _configurations(resource):
        for guarded in configuration.at("resources").items():
            yield guarded.at("policy")


def _referenced(resource: Resource, _: Declared) -> Iterator[Finding]:
    for configuration in _configurations(resource):
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
        payload = base64.b64decode(envelope.at("payload").text or "", validate=True)
        signatures = [
            base64.b64decode(one.at("sig").text or "", validate=True) for one in envelope.at("signatures").items()
        ]
        statement = json.loads(payload)
        names = {subject["name"] for subject in statement["subject"] if isinstance(subject["name"], str)}
    except (ValueError, TypeError, KeyError, RecursionError):
        return set()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    return names if any(_verifies(key, one, signed) for key in keys for one in signatures) else set()


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


def _floors(resource: Resource, _: Declared) -> Iterator[Finding]:
    for policy in _policies(resource):
        tees = [tee.text or "" for tee in policy.at("tee").items()]
        if tees and all("tdx" in tee for tee in tees):  # Intel says which firmware is up to date, and the verifier asks for that
            continue
        floors = policy.at("minimum_tcb")
        known = [floors.at(part) for part in ("bootloader", "tee", "snp", "microcode")]
        for floor in known:
            yield from require(Setting(floor, AtLeast(0, "as a security version number")))
        if not floors.unknown and not any(floor.stated and floor.value for floor in known):
            yield Finding(floors.path, "is zero throughout, which any firmware satisfies", "versions that are in force")


ATT_04 = Rule(
    id="ATT-04",
    title="Each key asks for a minimum firmware",
    why="A genuine report from firmware with a known hole proves that the hole is genuine.",
    severity=Severity.HIGH,
    remediation="set minimum_tcb to the versions that the vendor's current bulletin asks for",
    check=_floors,
    passing=Example("A floor for each part of the firmware.", (_CONFIGURED,)),
    failing=(
        Example("No floor.", (examples.but(_CONFIGURED, {f"{_POLICY}.minimum_tcb": None}),)),
        Example("One part without a floor.", (examples.but(_CONFIGURED, {f"{_POLICY}.minimum_tcb.microcode": None}),)),
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
    for policy in _policies(resource):
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
    for policy in _policies(resource):
        lifetime = policy.at("max_token_seconds")
        allowed = f"at most {LONGEST_TOKEN} seconds"
        value = lifetime.value
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= LONGEST_TOKEN:
            yield Finding(lifetime.path, "is not stated" if value is None else "is too long, or no number", allowed)


ATT_06 = Rule(
    id="ATT-06",
    title="Attestation results are good for an hour at most",
    why="A result tells what a machine was when it was asked; a key an hour later needs to ask again.",
    severity=Severity.HIGH,
    remediation=f"set max_token_seconds to {LONGEST_TOKEN} or less",
    check=_short_lived,
    passing=Example("Five minutes.", (_CONFIGURED,)),
    failing=(
        Example("A day.", (examples.but(_CONFIGURED, {f"{_POLICY}.max_token_seconds": 86_400}),)),
        Example("For ever, because nobody said.", (examples.but(_CONFIGURED, {f"{_POLICY}.max_token_seconds": None}),)),
    ),
)


def _private_verifier(resource: Resource, _: Declared) -> Iterator[Finding]:
    settings = vocabulary.managed_verifier_of(resource)
    if not settings:
        raise NotApplicable("is no attestation service of the cloud")
    for setting in settings:
        yield from require(setting)


ATT_08 = Rule(
    id="ATT-08",
    title="The cloud's attestation service is private and knows its callers",
    why="A shared or public provider answers anybody, under a policy that somebody else may change.",
    severity=Severity.HIGH,
    remediation="disable public network access and enable authentication of the attestation provider",
    check=_private_verifier,
    passing=Example("A provider without a public network.", (examples.ATTESTATION_PROVIDER,)),
    failing=(
        Example(
            "A public provider.",
            (examples.but(examples.ATTESTATION_PROVIDER, {"properties.publicNetworkAccess": "Enabled"}),),
        ),
        Example(
            "A provider that asks nobody who they are.",
            (examples.but(examples.ATTESTATION_PROVIDER, {"properties.tpmAttestationAuthentication": "Disabled"}),),
        ),
    ),
)

RULES = (ATT_02, ATT_04, ATT_05, ATT_06, ATT_08)
