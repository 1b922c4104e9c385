"""Release policies for the Key Broker Service of Confidential Containers: one resource policy in Rego.

Trustee asks its resource policy for each request (confidential-containers/trustee, `kbs/sample_policies/default.rego`):
`input.trust_context.attestation_summary` is what its attestation service found, with the issuer and the claims of the
EAR token, and `data["resource-path"]` the three segments of the path. Below `ear.veraison.annotated-evidence` are the
fields of the evidence as Trustee's own appraisal policy reads them
(`attestation-service/src/ear_token/ear_default_policy_cpu.rego`, 238497d4).

A comparison in Rego orders values of different types, so that the text "0" is greater than every number: each number
of the evidence is asked to be one first. What the evidence does not state is undefined, and denies.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.release.policy import Compiled, Inexpressible, ReleasePolicy, ReleasePolicyError, Tee

PLUGIN = "resource"
_SEGMENTS = 3

_HEAD = """package policy

import rego.v1

default allow := false

summary := input.trust_context.attestation_summary

cpu := summary.claims.submods.cpu0

evidence := cpu["ear.veraison.annotated-evidence"]

affirmed if {
  summary.verification_result == true
  cpu["ear.status"] == "affirming"
}

at_least(value, floor) if {
  is_number(value)
  value >= floor
}
"""

_ALWAYS_INEXPRESSIBLE = (
    Inexpressible("vmpl", "Trustee's claims state no privilege level; its guests ask from the lowest, VMPL 0"),
    Inexpressible("max_token_seconds", "the policy has no clock of its own; Trustee checks its token's expiry"),
    Inexpressible("data_class", "the policy knows claims of the token only; the gateway and the policies hold it"),
)
_TDX_INEXPRESSIBLE = Inexpressible(
    "allow_migration", "on tdx: Trustee's claims do not say whether a TD may migrate; its measurement names the image"
)


def compile_policies(policies: Mapping[str, ReleasePolicy]) -> Compiled:
    """One resource policy for a broker's keys, by KBS path (`default/model-key/llm`).

    The document has the one member `policy`, the Rego text. Raises `ReleasePolicyError` for what it could only widen.
    """
    rules, lost = [_HEAD], list(_ALWAYS_INEXPRESSIBLE)
    for path, policy in sorted(policies.items()):
        policy.require_local_authorities()
        rules += [_rule(path, policy, tee) for tee in policy.tees]
        if Tee.TDX in policy.tees and not policy.allow_migration and _TDX_INEXPRESSIBLE not in lost:
            lost.append(_TDX_INEXPRESSIBLE)
    return Compiled("kbs", {"policy": "\n".join(rules)}, tuple(lost))


def encode(compiled: Compiled) -> str:
    """The body of `POST /kbs/v0/resource-policy`: the text in base64url without padding (RFC 4648, 5), in JSON."""
    text = base64.urlsafe_b64encode(str(compiled.document["policy"]).encode()).rstrip(b"=").decode()
    return json.dumps({"policy": text})


def _rule(path: str, policy: ReleasePolicy, tee: Tee) -> str:
    segments = path.split("/")
    if len(segments) != _SEGMENTS or not all(segments):
        raise ReleasePolicyError(f"release policy: {path!r} is no KBS path; right is <repository>/<type>/<tag>")
    conditions = [
        f"data.plugin == {_text(PLUGIN)}",
        f'data["resource-path"] == {_text(segments)}',
        "affirmed",
        f"summary.issuer in {_text([authority.uri for authority in policy.authorities])}",
        *(_snp(policy) if tee is Tee.SNP else _tdx(policy)),
    ]
    body = "\n".join(f"  {condition}" for condition in conditions)
    return f"# {path} on {tee.value}\nallow if {{\n{body}\n}}\n"


def _snp(policy: ReleasePolicy) -> Sequence[str]:
    floor = policy.minimum_tcb
    if floor is None:
        raise ReleasePolicyError("release policy: minimum_tcb: a policy for SEV-SNP machines has one")
    return [
        f"evidence.snp.evidence.measurement in {_text(policy.launch_measurements)}",
        *([] if policy.allow_debug else ["evidence.snp.evidence.policy.debug_allowed == false"]),
        *([] if policy.allow_migration else ["evidence.snp.evidence.policy.migrate_ma_allowed == false"]),
        *(
            f"at_least(evidence.snp.evidence.reported_tcb.{part}, {value})"
            for part, value in floor.model_dump(by_alias=False).items()
        ),
    ]


def _tdx(policy: ReleasePolicy) -> Sequence[str]:
    """On TDX the platform is held to Intel's own status, as the model has it."""
    return [
        f"evidence.tdx.quote.body.mr_td in {_text(policy.launch_measurements)}",
        *([] if policy.allow_debug else ["evidence.tdx.td_attributes.debug == false"]),
        'evidence.tdx.tcb_status == "UpToDate"',
    ]


def _text(value: Any) -> str:
    """A JSON value, which is a Rego term."""
    return json.dumps(value)
