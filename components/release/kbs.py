"""Release policies for the Key Broker Service of Confidential Containers: one resource policy in Rego.

Trustee asks its resource policy for each request: `data["resource-path"]` has the three segments of the path, and
`input` what its attestation service found, in the shape of its release (`components.release.trustee`). Below
`ear.veraison.annotated-evidence` are the fields of the evidence.

A comparison in Rego orders values of different types, so that the text "0" is greater than every number: each number
of the evidence is asked to be one first. What the evidence does not state is undefined, and denies. Claims of GPUs are
NVIDIA's own (claims version 3, attestation SDK): devtools mode shows as a debug status that is not `disabled`.

Azure's evidence has rules of its own: a TD's claims are the same under another name, and of an SEV-SNP report Trustee
states less, all of it as texts (`deps/verifier/src/az_snp_vtpm/mod.rs`, v0.21.0 and 78962cd4).
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from components.release.policy import (
    Compiled,
    Inexpressible,
    ReleasePolicy,
    ReleasePolicyError,
    SnpProduct,
    Tee,
    unexpressed,
)
from components.release.trustee import AZURE_SNP, TRUST_CONTEXT, Shape

PLUGIN = "resource"
_AZURE_SNP = "az-snp-vtpm"
_EC2_SNP = "aws-snp-nitrotpm"
"""The region's own verifier takes it; Trustee has no attester for it."""
_SEGMENTS = 3

_HEAD = """package policy

import rego.v1

default allow := false

{names}cpu := {claims}.submods.cpu0

evidence := cpu["ear.veraison.annotated-evidence"]

affirmed if {{
  {affirmed}
}}

at_least(value, floor) if {{
  is_number(value)
  value >= floor
}}
"""
_TEXTS = """
reads_at_least(value, floor) if {
  is_string(value)
  to_number(value) >= floor
}
"""
_GPUS = """
gpus := {{name | {claims}.submods[name]; startswith(name, "gpu")}}

confidential(name) if {{
  gpu := {claims}.submods[name]
  gpu["ear.status"] == "affirming"
  gpu["ear.veraison.annotated-evidence"].nvidia.secboot == true
  gpu["ear.veraison.annotated-evidence"].nvidia.dbgstat == "disabled"
}}

confidential_gpus if {{
  count(gpus) > 0
  every name in gpus {{
    confidential(name)
  }}
}}
"""
_NO_LAUNCH = "launch_measurements: Trustee's claims pin no containers; name a launch, and a TD by its measurement"

_NOT_OF_IMAGES = "Trustee names containers by tags that move; the measured guest judges what it starts"
_INEXPRESSIBLE = {
    "image_digests": _NOT_OF_IMAGES,
    "image_signers": _NOT_OF_IMAGES,
    "max_token_seconds": "the policy has no clock of its own; Trustee checks its token's expiry",
    "data_class": "the policy knows claims of the token only; the gateway and the policies hold it",
}
_INEXPRESSIBLE_FOR_TDX = {
    "launch_signers": "on tdx: a TD has no signer of its launch",
    "vmpl": "on tdx: a TD has no privilege levels that Trustee's claims name",
    "allow_migration": "on tdx: Trustee's claims do not say whether a TD may migrate; its measurement names the image",
    "hardware": "on tdx: Trustee's claims do not name the processor",
}
_NOT_STATED_ON_AZURE = dict.fromkeys(
    ("launch_signers", "vmpl", "hardware"), "on az-snp-vtpm: Trustee's claims do not state it"
)
_NOTHING_ON_AZURE = "on az-snp-vtpm: Trustee's claims state less than is asked: such a guest gets nothing"
_INEXPRESSIBLE_ON_AZURE = {
    **_NOT_STATED_ON_AZURE,
    "minimum_tcb_by_product": "on az-snp-vtpm: Trustee's claims name no product: the highest floor holds for all",
}


def compile_policies(policies: Mapping[str, ReleasePolicy], *, shape: Shape = TRUST_CONTEXT) -> Compiled:
    """One resource policy for a broker's keys, by KBS path (`default/model-key/llm`).

    `shape` is that of the broker's release: `TOKEN` up to v0.21. The document has the one member `policy`, the Rego
    text. Raises `ReleasePolicyError` for what it could only widen.
    """
    rules, lost = [_head(policies.values(), shape)], list[Inexpressible]()
    for path, policy in sorted(policies.items()):
        policy.require_local_authorities()
        rules += [_rule(path, policy, *evidence, shape) for evidence in _evidence(policy, shape)]
        of_tdx = _INEXPRESSIBLE_FOR_TDX if Tee.TDX in policy.tees else {}
        on_azure = _INEXPRESSIBLE_ON_AZURE if policy.vtpm and Tee.SNP in policy.tees else {}
        lost += unexpressed(policy, {**of_tdx, **on_azure, **shape.cannot_express, **_INEXPRESSIBLE})
        if Tee.SNP in policy.tees and not policy.vtpm and _says_more_than_azure(policy):
            lost.append(Inexpressible("vtpm", _NOTHING_ON_AZURE))
    return Compiled("kbs", {"policy": "\n".join(rules)}, tuple(dict.fromkeys(lost)))


def _head(policies: Iterable[ReleasePolicy], shape: Shape) -> str:
    names = "".join(f"{name}\n\n" for name in shape.names)
    affirmed = "\n  ".join([*shape.affirmed, 'cpu["ear.status"] == "affirming"'])
    head = _HEAD.format(names=names, claims=shape.claims, affirmed=affirmed) + _TEXTS
    return head + (_GPUS.format(claims=shape.claims) if any(policy.confidential_gpu for policy in policies) else "")


def encode(compiled: Compiled) -> str:
    """The body of `POST /kbs/v0/resource-policy`: the text in base64url without padding (RFC 4648, 5), in JSON."""
    text = base64.urlsafe_b64encode(str(compiled.document["policy"]).encode()).rstrip(b"=").decode()
    return json.dumps({"policy": text})


def _evidence(policy: ReleasePolicy, shape: Shape) -> Iterator[tuple[str, SnpProduct | None]]:
    """What one rule is about each: a kind of evidence, and of SEV-SNP each product where their floors differ.

    A policy that takes Azure's evidence besides the CPU's gets no rule for it that would hold less than the policy.
    """
    for tee in policy.tees:
        for kind in policy.evidence(tee):
            if kind == Tee.SNP and policy.minimum_tcb_by_product and "generation" in shape.snp:
                yield from ((kind, product) for product in SnpProduct)
            elif kind != _EC2_SNP and (policy.vtpm or kind != _AZURE_SNP or not _says_more_than_azure(policy)):
                yield kind, None


def _says_more_than_azure(policy: ReleasePolicy) -> bool:
    """Whether a condition would be lost on Azure's evidence, whose reports are all of VMPL 0."""
    return bool(policy.stated(("launch_signers", "hardware"))) or 0 not in policy.vmpl


def _rule(path: str, policy: ReleasePolicy, evidence: str, product: SnpProduct | None, shape: Shape) -> str:
    segments = path.split("/")
    if len(segments) != _SEGMENTS or not all(segments):
        raise ReleasePolicyError(f"release policy: {path!r} is no KBS path; right is <repository>/<type>/<tag>")
    conditions = [
        f"data.plugin == {_text(PLUGIN)}",
        f'data["resource-path"] == {_text(segments)}',
        "affirmed",
        f"{shape.issuer} in {_text([authority.uri for authority in policy.authorities])}",
        *(["confidential_gpus"] if policy.confidential_gpu else []),
        *_of_hardware(policy, evidence, product, shape),
    ]
    body = "\n".join(f"  {condition}" for condition in conditions)
    return f"# {path} on {product or evidence}\nallow if {{\n{body}\n}}\n"


def _of_hardware(policy: ReleasePolicy, evidence: str, product: SnpProduct | None, shape: Shape) -> Sequence[str]:
    if evidence == Tee.SNP:
        return _snp(policy, product, shape)
    return _azure_snp(policy) if evidence == _AZURE_SNP else _tdx(policy, _place(evidence))


def _snp(policy: ReleasePolicy, product: SnpProduct | None, shape: Shape) -> Sequence[str]:
    place = {name: f"evidence.{field}" for name, field in shape.snp.items()}
    pins = {"measurement": policy.launch_measurements, "id_key_digest": policy.launch_signers}
    if not any(values for name, values in pins.items() if name in place):
        raise ReleasePolicyError(f"release policy: {_NO_LAUNCH}")
    floor = policy.strictest_tcb() if product is None else policy.minimum_tcb_by_product.get(product)
    floor = floor or policy.minimum_tcb
    if floor is None:
        raise ReleasePolicyError("release policy: minimum_tcb: a policy for SEV-SNP machines has one")
    accepted: dict[str, Sequence[Any]] = {**pins, "vmpl": policy.vmpl}
    return [
        *([f"{place['generation']} == {_text(product)}"] if product else []),
        *(f"{place[name]} in {_text(values)}" for name, values in accepted.items() if values and name in place),
        *([] if policy.allow_debug else [f"{place['debug']} == false"]),
        *([] if policy.allow_migration else [f"{place['migration']} == false"]),
        *_one_of(place["chip_id"], policy.chips),
        *(f"at_least({place[part]}, {value})" for part, value in floor.model_dump(by_alias=False).items()),
    ]


def _azure_snp(policy: ReleasePolicy) -> Sequence[str]:
    """As of any report, but that each claim is a text, and the measurement in base64 (RFC 4648, 4)."""
    if not policy.launch_measurements:
        raise ReleasePolicyError(f"release policy: {_NO_LAUNCH}")
    place = {name: f"{_place(_AZURE_SNP)}.{field}" for name, field in AZURE_SNP.items()}
    launches = [base64.b64encode(bytes.fromhex(launch)).decode() for launch in policy.launch_measurements]
    floor = policy.strictest_tcb().model_dump(by_alias=False)
    return [
        *_one_of(place["measurement"], launches),
        *([] if policy.allow_debug else [f'{place["debug"]} == "false"']),
        *([] if policy.allow_migration else [f'{place["migration"]} == "false"']),
        *(f"reads_at_least({place[part]}, {value})" for part, value in floor.items()),
    ]


def _tdx(policy: ReleasePolicy, place: str) -> Sequence[str]:
    """On TDX the platform is held to Intel's own status, as the model has it."""
    if not policy.launch_measurements:
        raise ReleasePolicyError(f"release policy: {_NO_LAUNCH}")
    return [
        *_one_of(f"{place}.quote.body.mr_td", policy.launch_measurements),
        *([] if policy.allow_debug else [f"{place}.td_attributes.debug == false"]),
        f'{place}.tcb_status == "UpToDate"',
    ]


def _place(evidence: str) -> str:
    """Where the evidence's fields are; a name with hyphens is a key in Rego."""
    return f"evidence[{_text(evidence)}]" if "-" in evidence else f"evidence.{evidence}"


def _one_of(claim: str, values: Sequence[str]) -> Sequence[str]:
    return [f"{claim} in {_text(values)}"] if values else []


def _text(value: Any) -> str:
    """A JSON value, which is a Rego term."""
    return json.dumps(value)
