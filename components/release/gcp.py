"""Release policies for Google Cloud: a workload identity pool's condition, and the right to decrypt for who meets it.

Cloud KMS releases no key. It decrypts for whoever IAM lets, and IAM knows an attested workload as a principal of a
workload identity pool: the pool's provider believes one issuer, accepts a token when a condition on its claims holds
(CEL, `assertion.*`), and maps claims to attributes, by which a binding on a key names its principals
(docs.cloud.google.com/iam/docs/workload-identity-federation). Two kinds of issuers are compiled.

Google Cloud Attestation speaks about Confidential Space: its tokens carry the hardware and the digest of the
container, but neither a launch measurement nor a TCB, so that the policy's images are named by container digests. It
knows no SEV-SNP report. A verifier of one's own states the launch measurement too (EAT attestation results,
draft-ietf-rats-ear), of SEV-SNP guests. Google takes a verifier's tokens when they name issuer and audience and are
signed with ES256 or RS256: Bailiwick's own broker signs ES384 and unwraps keys itself, so that its regions do without.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import catalog
from components.release.policy import Authority, Compiled, Inexpressible, ReleasePolicy, ReleasePolicyError, Tee

ROLE = "roles/cloudkms.cryptoKeyDecrypter"
AUDIENCE = "https://sts.googleapis.com"
_SERVICE = "google-cloud-attestation"
_MEASUREMENT = "measurement"
_CONTAINER = "image_digest"
_EVIDENCE = 'assertion.submods.cpu["ear.veraison.annotated-evidence"]'

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_ALWAYS_INEXPRESSIBLE = (
    Inexpressible("max_token_seconds", "the condition has no clock; Google checks the token's own expiry"),
    Inexpressible("data_class", "the condition knows claims of the token only; the gateway and the policies hold it"),
)


@dataclass(frozen=True, slots=True)
class _Issuer:
    """What one issuer's tokens can be held to."""

    uri: str
    conditions: Sequence[str]
    attribute: str
    claim: str
    values: Sequence[str]
    cannot_express: Sequence[Inexpressible]


def compile_policy(policy: ReleasePolicy, *, cloud: str = "gcp", container_digests: Sequence[str] = ()) -> Compiled:
    """The policy as provider and binding; raises `ReleasePolicyError` for what it could only widen.

    `container_digests` (`sha256:<hex>`) name the images where the authority is Google Cloud Attestation. The document
    has `issuer`, `allowedAudiences`, `attributeCondition`, `attributeMapping`, and `binding` with the role and the
    attribute values whose principals have it.
    """
    policy.require_local_authorities()
    if len(policy.authorities) != 1:
        raise ReleasePolicyError("release policy: authorities: a provider of a pool believes one issuer; name one")
    (authority,) = policy.authorities
    if not authority.uri.startswith("https://"):
        raise ReleasePolicyError(f"release policy: authority {authority.uri}: Google believes https issuers only")
    google = catalog.load().service(cloud, _SERVICE).endpoints.get("issuer")
    issuer = (
        _confidential_space(policy, authority, cloud, container_digests)
        if authority.uri == google
        else _own_verifier(policy, authority)
    )
    document: dict[str, Any] = {
        "issuer": issuer.uri,
        "allowedAudiences": [AUDIENCE],
        "attributeCondition": " && ".join(issuer.conditions),
        "attributeMapping": {"google.subject": "assertion.sub", f"attribute.{issuer.attribute}": issuer.claim},
        "binding": {"role": ROLE, "attribute": issuer.attribute, "values": list(issuer.values)},
    }
    return Compiled("gcp", document, (*issuer.cannot_express, *_ALWAYS_INEXPRESSIBLE))


def member(pool_name: str, attribute: str, value: str) -> str:
    """The identities of a pool with one attribute value, as IAM names them; `pool_name` is the pool's resource name."""
    return f"principalSet://iam.googleapis.com/{pool_name}/attribute.{attribute}/{value}"


def _confidential_space(policy: ReleasePolicy, authority: Authority, cloud: str, digests: Sequence[str]) -> _Issuer:
    claims = {claim.id: claim for claim in catalog.load().release_claims(cloud, service=_SERVICE)}
    hardware = claims["hardware-model"]
    if Tee.TDX not in policy.tees:
        raise ReleasePolicyError(
            "release policy: tees: Google Cloud Attestation has no name for SEV-SNP hardware; nearest supported: tdx, "
            "or a verifier of your own"
        )
    if not digests:
        raise ReleasePolicyError(
            "release policy: launch_measurements: Google Cloud Attestation does not state them; name the images by "
            "container_digests"
        )
    if odd := [digest for digest in digests if not _DIGEST.fullmatch(digest)]:
        raise ReleasePolicyError(
            f"release policy: container_digests: {odd[0]!r} is not sha256: and 64 hexadecimal digits"
        )
    conditions = [
        f"{claims['software'].claim} == {_text(claims['software'].values[0])}",
        f"{hardware.claim} in {_list(hardware.values)}",
        f"{_text(claims['support'].values[0])} in {claims['support'].claim}",
    ]
    if not policy.allow_debug:
        conditions.append(f"{claims['debug'].claim} == {_text(claims['debug'].values[0])}")
    lost = [
        Inexpressible("launch_measurements", "the token has none; the binding names container digests instead"),
        Inexpressible("minimum_tcb", "the token states no TCB; Google holds its own hosts to one"),
        Inexpressible("vmpl", "the token states no privilege level"),
        Inexpressible("allow_migration", "the token does not say it; confidential machines of Google stop instead"),
    ]
    if Tee.SNP in policy.tees:
        lost.append(Inexpressible("tees", "snp has no hardware model: such a guest gets nothing from this document"))
    return _Issuer(authority.uri, conditions, _CONTAINER, claims["image-digest"].claim, digests, lost)


def _own_verifier(policy: ReleasePolicy, authority: Authority) -> _Issuer:
    """Conditions on an attestation result. A verifier says `affirming` of what its own policy found nothing against."""
    if Tee.SNP not in policy.tees:
        raise ReleasePolicyError(
            "release policy: tees: attestation results are compiled for SEV-SNP only; nearest supported: snp, or "
            "Google Cloud Attestation"
        )
    conditions = [
        'assertion["ear.status"] == "affirming"',
        f"assertion.tee == {_text(Tee.SNP)}",
        f"{_EVIDENCE}.measurement in {_list(policy.launch_measurements)}",
        f"{_EVIDENCE}.vmpl in [{', '.join(map(str, policy.vmpl))}]",
    ]
    lost = [
        Inexpressible(field, "the verifier's own policy decides it before it says affirming")
        for field in ("minimum_tcb", "allow_debug", "allow_migration")
    ]
    if Tee.TDX in policy.tees:
        lost.append(Inexpressible("tees", "tdx is not compiled: such a guest gets nothing from this document"))
    return _Issuer(
        authority.uri, conditions, _MEASUREMENT, f"{_EVIDENCE}.measurement", policy.launch_measurements, lost
    )


def _text(value: str) -> str:
    """A CEL string; the values are of the catalogue or checked by the policy's model, and hold no quote."""
    if '"' in value or "\\" in value:
        raise ReleasePolicyError(f"release policy: {value!r} cannot stand in a condition")
    return f'"{value}"'


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"
