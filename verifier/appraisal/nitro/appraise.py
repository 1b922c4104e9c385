"""From a verified Nitro document to an attestation result with one submodule, `nitro`."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from verifier.appraisal import registers
from verifier.appraisal.freshness import unasked
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.rejection import rejection
from verifier.appraisal.result import Appraisal, AttestationResult, Claim, Evidence
from verifier.appraisal.vector import Component, Value
from verifier.errors import VerificationFailed
from verifier.nitro import DocumentKind, NitroDocument, VerifiedDocument
from verifier.reference import AnyReferenceValues, NitroReferenceValues, ReferenceValues

NITRO: Final = "nitro"

_BOOT_REGISTERS: Final = {DocumentKind.ENCLAVE: (0, 1, 2), DocumentKind.NITROTPM: (4, 7)}
"""PCRs that are never zero: an enclave's image, kernel and applications, which a debug enclave has as zeros (Nitro
Enclaves user guide, "Debug mode"); a NitroTPM's boot loader and Secure Boot state."""


def appraise(
    verified: VerifiedDocument,
    policy: AppraisalPolicy,
    *,
    nonce: bytes | None,
    reference_values: Sequence[AnyReferenceValues] = (),
) -> AttestationResult:
    """Hold a genuine document against `policy`.

    nonce: what it was asked with, or None if nothing is expected. reference_values: bundles whose signature has been
    checked; those of enclaves do not count for an instance, nor the reverse.
    """
    document = verified.document
    claims = [
        _chain(verified),
        _freshness(document, policy, nonce),
        _instance(document, policy),
        *_age(verified, policy),
        _measured(document, policy),
        *_executables(document, policy, reference_values),
        _platform(),
    ]
    return AttestationResult.of({NITRO: Appraisal.of(claims, policy.identifier, verified)})


def rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence) -> AttestationResult:
    """The result for a document that is not genuine: contraindicated, the failed check its one claim."""
    return rejection(failure, policy, NITRO, evidence)


def _identity(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.INSTANCE_IDENTITY, name, value, score, reason, reference)


def _chain(verified: VerifiedDocument) -> Claim:
    value = " < ".join(member.certificate.common_name for member in verified.chain.members)
    reference = f"{verified.chain.anchor.name} root {verified.chain.root.fingerprint}"
    reason = "the document is signed, and the chain ends at a pinned root"
    return _identity("chain", value, Value.TRUSTWORTHY_INSTANCE, reason, reference)


def _freshness(document: NitroDocument, policy: AppraisalPolicy, expected: bytes | None) -> Claim:
    name, found = "nonce", document.nonce or b""
    if expected is None:
        return unasked(found.hex(), policy)
    if not found:
        return _identity(name, "none", Value.UNTRUSTWORTHY_INSTANCE, "the document has no nonce: it may be a replay")
    if hmac.compare_digest(found, expected):
        reason = "the nonce is what was expected, so the document is fresh and made for this caller"
        return _identity(name, found.hex(), Value.TRUSTWORTHY_INSTANCE, reason, expected.hex())
    reason = "the nonce is not what was expected: an older document, or one made for someone else"
    return _identity(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)


def _instance(document: NitroDocument, policy: AppraisalPolicy) -> Claim:
    name, found, accepted = "instance-id", document.instance_id, policy.nitro.instances
    if accepted is None:
        return _identity(name, found, Value.NOT_APPRAISED, "the policy accepts any instance")
    if found in accepted:
        return _identity(name, found, Value.TRUSTWORTHY_INSTANCE, "the instance is on the policy's list", found)
    return _identity(name, found, Value.UNRECOGNIZED_INSTANCE, "the instance is not on the policy's list")


def _age(verified: VerifiedDocument, policy: AppraisalPolicy) -> Iterator[Claim]:
    limit = policy.nitro.maximum_age_seconds
    if limit is None:
        return
    age = verified.at - verified.document.timestamp
    value = f"{age.total_seconds():.0f} s"
    if age > timedelta(seconds=limit):
        yield _identity("age", value, Value.UNTRUSTWORTHY_INSTANCE, f"the document is older than {limit} s")
    else:
        yield _identity("age", value, Value.TRUSTWORTHY_INSTANCE, "the document is recent", f"{limit} s")


def _measured(document: NitroDocument, policy: AppraisalPolicy) -> Claim:
    """An enclave in debug mode is never better than a warning: the parent instance reads its console."""
    registers = _BOOT_REGISTERS[document.kind]
    zero = [index for index in registers if not any(document.pcrs.get(index, b""))]
    name = "debug" if document.kind is DocumentKind.ENCLAVE else "measured-boot"
    if not zero:
        reason = f"PCR {', '.join(map(str, registers))} hold measurements"
        return Claim(Component.CONFIGURATION, name, "measured", Value.APPROVED_CONFIG, reason)
    listed = ", ".join(map(str, zero))
    if document.kind is DocumentKind.ENCLAVE and policy.allow_debug:
        reason = f"PCR {listed} are zero: a debug enclave, which the policy allows"
        return Claim(Component.CONFIGURATION, name, "zero", Value.UNSAFE_CONFIG, reason)
    what = "a debug enclave" if document.kind is DocumentKind.ENCLAVE else "the boot was not measured"
    reason = f"PCR {listed} are zero or missing: {what}"
    return Claim(Component.CONFIGURATION, name, "zero", Value.UNSUPPORTABLE_CONFIG, reason)


def _executables(
    document: NitroDocument, policy: AppraisalPolicy, reference_values: Sequence[AnyReferenceValues]
) -> Iterator[Claim]:
    yield from registers.listed(document.pcrs, policy.nitro.pcrs)
    images = list(_images(document.kind, reference_values))
    if images or policy.images is not None or policy.nitro.pcrs is None:
        yield registers.image(document.pcrs, policy, images, given=bool(reference_values))


def _images(
    kind: DocumentKind, reference_values: Sequence[AnyReferenceValues]
) -> Iterator[tuple[str, registers.Accepted]]:
    """The PCRs of each image for what is attested, by its name: of a bundle of their own, or of one for SEV-SNP."""
    for values in reference_values:
        if isinstance(values, NitroReferenceValues) and values.attested == kind.name.lower():
            yield values.name, values.pcrs
        elif isinstance(values, ReferenceValues) and values.nitrotpm and kind is DocumentKind.NITROTPM:
            yield values.name, values.nitrotpm.pcrs


def _platform() -> Claim:
    reason = "AWS vouches for its own platform: no processor's vendor says what hardware this is or how it is patched"
    return Claim(Component.HARDWARE, "platform", "AWS Nitro System", Value.NOT_APPRAISED, reason)
