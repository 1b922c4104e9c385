"""What an attestation result can be held to (EAT attestation results, draft-ietf-rats-ear), in terms of CEL and Rego.

A verifier states `affirming` of what its own policy found nothing against. Below
`submods.cpu["ear.veraison.annotated-evidence"]` are the fields of the evidence, which `verifier.ear` writes: bytes in
lower-case hexadecimal. A claim that a result lacks is an error in CEL and undefined in Rego: both deny.
"""

import json
from collections.abc import Sequence
from typing import Any

from components.release.policy import ReleasePolicy, ReleasePolicyError, Tee

EVIDENCE = 'submods.cpu["ear.veraison.annotated-evidence"]'
AFFIRMING = '["ear.status"] == "affirming"'

_NOT_OF_IMAGES = "the verifier's results know launches, not containers; the measured guest judges what it starts"
_DECIDED_BY_VERIFIER = "the verifier's own policy decides it before it says affirming"
INEXPRESSIBLE = {
    "image_digests": _NOT_OF_IMAGES,
    "image_signers": _NOT_OF_IMAGES,
    "minimum_tcb": _DECIDED_BY_VERIFIER,
    "minimum_tcb_by_product": _DECIDED_BY_VERIFIER,
    "allow_debug": _DECIDED_BY_VERIFIER,
    "allow_migration": _DECIDED_BY_VERIFIER,
}


def launch_pins(policy: ReleasePolicy, tee: Tee) -> dict[str, Sequence[str]]:
    """Fields of the evidence that name the workload, with their values; raises `ReleasePolicyError` if none does."""
    pins = (
        {"measurement": policy.launch_measurements, "id_key_digest": policy.launch_signers}
        if tee is Tee.SNP
        else {"mr_td": policy.launch_measurements}
    )
    if stated := {field: values for field, values in pins.items() if values}:
        return dict(stated)
    raise ReleasePolicyError(
        "release policy: launch_measurements: a verifier's results know no containers, and no signer of a TD; "
        "name a launch"
    )


def conditions(policy: ReleasePolicy, tee: Tee, claims: str) -> list[str]:
    """Conditions on the result whose claims are at `claims`, all of which must hold."""
    evidence = f"{claims}.{EVIDENCE}"
    found = [
        f"{claims}{AFFIRMING}",
        f"{claims}.tee in {text(policy.evidence(tee))}",
        *(f"{evidence}.{field} in {text(values)}" for field, values in launch_pins(policy, tee).items()),
    ]
    if policy.confidential_gpu:
        found.append(f"{claims}.submods.gpu0{AFFIRMING}")
    if tee is Tee.TDX:
        return [*found, f'{evidence}.tcb_status == "UpToDate"']
    if policy.chips:
        found.append(f"{evidence}.chip_id in {text(policy.chips)}")
    return [*found, f"{evidence}.vmpl in {text(policy.vmpl)}"]


def text(value: Any) -> str:
    """A JSON value, which is a term of both languages."""
    return json.dumps(value)
