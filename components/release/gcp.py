"""Release policies for Google Cloud: a workload identity pool's condition, and the right to decrypt for who meets it.

Cloud KMS releases no key. It decrypts for whoever IAM lets, and IAM knows an attested workload as a principal of a
workload identity pool: the pool's provider believes one issuer, accepts a token when a condition on its claims holds
(CEL, `assertion.*`), and maps claims to attributes, by which a binding on a key names its principals
(docs.cloud.google.com/iam/docs/workload-identity-federation). Two kinds of issuers are compiled.

Google Cloud Attestation speaks about Confidential Space: its tokens carry the hardware, the container, its signatures,
the zone and the service account, but neither a launch measurement nor a TCB, so that the policy's images are named by
containers. It knows no SEV-SNP report. A verifier of one's own states the launch too (EAT attestation results,
draft-ietf-rats-ear), of SEV-SNP guests. Google takes a verifier's tokens when they name issuer and audience and are
signed with ES256 or RS256: those of Bailiwick's own broker name neither, and it unwraps keys itself, so that its
regions do without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import catalog
from components.release import results
from components.release.policy import Authority, Compiled, ReleasePolicy, ReleasePolicyError, Tee, unexpressed

ROLE = "roles/cloudkms.cryptoKeyDecrypter"
AUDIENCE = "https://sts.googleapis.com"
_SERVICE = "google-cloud-attestation"
_INEXPRESSIBLE = {
    "max_token_seconds": "the condition has no clock; Google checks the token's own expiry",
    "data_class": "the condition knows claims of the token only; the gateway and the policies hold it",
}
_INEXPRESSIBLE_OF_CONFIDENTIAL_SPACE = {
    "launch_measurements": "the token has none; the binding names containers instead",
    "launch_signers": "the token has none; the binding names containers instead",
    "minimum_tcb": "the token states no TCB; Google holds its own hosts to one",
    "minimum_tcb_by_product": "the token states no TCB; Google holds its own hosts to one",
    "vmpl": "the token states no privilege level",
    "allow_migration": "the token does not say it; confidential machines of Google stop instead",
    "vtpm": "Google starts no guest under a paravisor, so that such a guest has no such token",
    "hardware": "the token names the machine, not its processor",
    **_INEXPRESSIBLE,
}


@dataclass(frozen=True, slots=True)
class _Issuer:
    """What one issuer's tokens can be held to."""

    uri: str
    conditions: Sequence[str]
    attribute: str
    claim: str
    values: Sequence[str]
    cannot_express: Mapping[str, str]


def compile_policy(policy: ReleasePolicy, *, cloud: str = "gcp", service_accounts: Sequence[str] = ()) -> Compiled:
    """The policy as provider and binding; raises `ReleasePolicyError` for what it could only widen.

    `service_accounts` (mail addresses) are those that a Confidential Space workload may run as; needed where the
    authority is Google Cloud Attestation. The document has `issuer`, `allowedAudiences`, `attributeCondition`,
    `attributeMapping`, and `binding` with the role and the attribute values whose principals have it.
    """
    policy.require_local_authorities()
    if len(policy.authorities) != 1:
        raise ReleasePolicyError("release policy: authorities: a provider of a pool believes one issuer; name one")
    (authority,) = policy.authorities
    if not authority.uri.startswith("https://"):
        raise ReleasePolicyError(f"release policy: authority {authority.uri}: Google believes https issuers only")
    google = catalog.load().service(cloud, _SERVICE).endpoints.get("issuer")
    issuer = (
        _confidential_space(policy, authority, cloud, service_accounts)
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
    return Compiled("gcp", document, unexpressed(policy, issuer.cannot_express))


def member(pool_name: str, attribute: str, value: str) -> str:
    """The identities of a pool with one attribute value, as IAM names them; `pool_name` is the pool's resource name."""
    return f"principalSet://iam.googleapis.com/{pool_name}/attribute.{attribute}/{value}"


def _confidential_space(policy: ReleasePolicy, authority: Authority, cloud: str, accounts: Sequence[str]) -> _Issuer:
    claims = {claim.id: claim for claim in catalog.load().release_claims(cloud, service=_SERVICE)}
    hardware, digest = claims["hardware-model"], claims["image-digest"].claim
    if Tee.TDX not in policy.tees:
        raise ReleasePolicyError(
            "release policy: tees: Google Cloud Attestation has no name for SEV-SNP hardware; nearest supported: tdx, "
            "or a verifier of your own"
        )
    if not policy.image_digests and not policy.image_signers:
        raise ReleasePolicyError(
            "release policy: launch_measurements: Google Cloud Attestation does not state them; name the images by "
            "image_digests or image_signers"
        )
    if not accounts:
        raise ReleasePolicyError("release policy: service_accounts: name whom the workload runs as")
    signers = f'{claims["image-signatures"].claim}.map(it, it.signature_algorithm + ":" + it.key_id)'
    conditions = [
        f"{claims['software'].claim} == {_text(claims['software'].values[0])}",
        f"{hardware.claim} in {_list(hardware.values)}",
        f"{_text(claims['support'].values[0])} in {claims['support'].claim}",
        f"{_list(_zones(policy, cloud))}.exists(region, {claims['zone'].claim}.startsWith(region))",
        f"{_list(accounts)}.exists(account, account in {claims['service-accounts'].claim})",
    ]
    if not policy.allow_debug:
        conditions.append(f"{claims['debug'].claim} == {_text(claims['debug'].values[0])}")
    if policy.confidential_gpu:
        conditions.append(f"{claims['gpu-mode'].claim} == {_text(claims['gpu-mode'].values[0])}")
    if policy.image_signers:
        conditions.append(f"{_list(policy.image_signers)}.exists(signer, signer in {signers})")
    lost = dict(_INEXPRESSIBLE_OF_CONFIDENTIAL_SPACE)
    if Tee.SNP in policy.tees:
        lost["tees"] = "snp has no hardware model: such a guest gets nothing from this document"
    if policy.image_digests:
        return _Issuer(authority.uri, conditions, "image_digest", digest, policy.image_digests, lost)
    signer = f"{_list(policy.image_signers)}.filter(signer, signer in {signers})[0]"
    return _Issuer(authority.uri, conditions, "image_signer", signer, policy.image_signers, lost)


def _zones(policy: ReleasePolicy, cloud: str) -> list[str]:
    """How the names of the jurisdiction's zones begin: a zone is its region and a letter."""
    facts = catalog.load()
    return [f"{r.id}-" for r in facts.regions(cloud=cloud) if facts.within(r.jurisdiction, policy.jurisdiction)]


def _own_verifier(policy: ReleasePolicy, authority: Authority) -> _Issuer:
    """Conditions on an attestation result. A verifier says `affirming` of what its own policy found nothing against."""
    if Tee.SNP not in policy.tees:
        raise ReleasePolicyError(
            "release policy: tees: attestation results are compiled for SEV-SNP only; nearest supported: snp, or "
            "Google Cloud Attestation"
        )
    lost = results.INEXPRESSIBLE | _INEXPRESSIBLE
    if Tee.TDX in policy.tees:
        lost["tees"] = "tdx is not compiled: such a guest gets nothing from this document"
    field, values = next(iter(results.launch_pins(policy, Tee.SNP).items()))
    conditions = results.conditions(policy, Tee.SNP, "assertion")
    return _Issuer(authority.uri, conditions, field, f"assertion.{results.EVIDENCE}.{field}", values, lost)


def _text(value: str) -> str:
    """A CEL string; the values are of the catalogue or checked by the policy's model, and hold no quote."""
    if '"' in value or "\\" in value:
        raise ReleasePolicyError(f"release policy: {value!r} cannot stand in a condition")
    return f'"{value}"'


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"
