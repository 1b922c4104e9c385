"""What the service of each target does with a compiled document and a guest.

Each document is judged by an evaluator of its own language: Google's CEL, a Rego engine, and small evaluators of
Azure's grammar and of Fortanix DSM's sign-in.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]

from components.release import Compiled, MinimumTcb, ReleasePolicy, Tee, azure, dsm, kbs
from components.release import gcp as google
from components.release.trustee import TOKEN
from tests.components.release import secure_key_release, security_manager
from tests.components.release.guests import DIGESTS, IMAGES, Guest, authority
from tests.components.release.test_kbs import PATH, allows, trust

OWN, SECOND = authority("https://verifier.example"), authority("https://second.example")
GOOGLE = authority("https://confidentialcomputing.googleapis.com")
ACCOUNT = "workload@project.iam.gserviceaccount.com"
POLICY = ReleasePolicy(
    jurisdiction="EU",
    data_class="confidential",
    tees=(Tee.SNP, Tee.TDX),
    launch_measurements=DIGESTS[:1],
    minimum_tcb=MinimumTcb(bootloader=1, tee=0, snp=1, microcode=1),
    authorities=(OWN, SECOND),
)
DSM = dsm.Placement("model-llm", "8f2c", {"k1": "MFk="}, dsm.Quorum(("a", "b", "c"), 2))
NOW = 1_000


@dataclass(frozen=True)
class Target:
    """One target: how a policy is compiled to it, and whether its service then lets a guest have the key."""

    compile: Callable[[ReleasePolicy], Compiled]
    releases: Callable[[dict[str, Any], Guest], bool]
    base: ReleasePolicy = POLICY


def azure_releases(document: dict[str, Any], guest: Guest) -> bool:
    snp = {f"x-ms-sevsnpvm-{part}-svn": guest.tcb[part] for part in ("bootloader", "tee", "microcode")} | {
        "x-ms-attestation-type": "sevsnpvm",
        "x-ms-sevsnpvm-snpfw-svn": guest.tcb["snp"],
        "x-ms-sevsnpvm-launchmeasurement": guest.measurement,
        "x-ms-sevsnpvm-idkeydigest": guest.id_key,
        "x-ms-sevsnpvm-vmpl": guest.vmpl,
        "x-ms-sevsnpvm-is-debuggable": guest.debug,
        "x-ms-sevsnpvm-migration-allowed": guest.migration,
    }
    tdx = {
        "x-ms-attestation-type": "tdxvm",
        "tdx_mrtd": guest.measurement,
        "attester_tcb_status": guest.tcb_status,
        "tdx_td_attributes_debug": guest.debug,
    }
    claims = {"x-ms-compliance-status": "azure-compliant-cvm", **(snp if guest.tee is Tee.SNP else tdx)}
    return secure_key_release.releases(document, issuer=guest.issuer, claims=claims)


def result_of(guest: Guest) -> dict[str, Any]:
    """An attestation result, from a verifier that has not judged debugging, migration or firmware by itself."""
    snp = {"measurement": guest.measurement, "id_key_digest": guest.id_key, "vmpl": guest.vmpl, "chip_id": guest.chip}
    tdx = {"mr_td": guest.measurement, "tcb_status": guest.tcb_status}
    cpu = {"ear.veraison.annotated-evidence": snp if guest.tee is Tee.SNP else tdx}
    status = {"on": "affirming", "off": "contraindicated", "devtools": "contraindicated"}
    gpus = {"gpu0": {"ear.status": status[guest.gpu]}} if guest.gpu in status else {}
    return {
        "iss": guest.issuer,
        "sub": "guest",
        "iat": NOW,
        "exp": NOW + guest.token_seconds,
        "ear.status": "affirming",
        "tee": f"az-{guest.tee}-vtpm" if guest.paravisor else guest.tee.value,
        "submods": {"cpu": cpu, **gpus},
    }


def confidential_space_token(guest: Guest, **changes: Any) -> dict[str, Any]:
    """A token of Google Cloud Attestation."""
    algorithm, key_id = guest.image_signer.split(":")
    submods: dict[str, Any] = {
        "container": {
            "image_digest": guest.image,
            "image_signatures": [{"signature_algorithm": algorithm, "key_id": key_id, "signature": "…"}],
        },
        "confidential_space": {"support_attributes": ["STABLE", "USABLE"]},
        "gce": {"zone": "europe-west4-a"},
        **({"nvidia_gpu": {"cc_mode": guest.gpu.upper()}} if guest.gpu != "none" else {}),
    }
    return {
        "sub": "guest",
        "swname": "CONFIDENTIAL_SPACE",
        "hwmodel": "GCP_INTEL_TDX" if guest.tee is Tee.TDX else "GCP_AMD_SEV",
        "dbgstat": "enabled" if guest.debug else "disabled-since-boot",
        "google_service_accounts": [ACCOUNT],
        "submods": submods,
        **changes,
    }


def pool_releases(document: dict[str, Any], issuer: str, claims: dict[str, Any]) -> bool:
    """What a workload identity pool and the binding on the key let a token do, by Google's own CEL."""
    binding = document["binding"]
    found = _evaluate(document["attributeMapping"][f"attribute.{binding['attribute']}"], claims)
    condition = _evaluate(document["attributeCondition"], claims)
    return issuer == document["issuer"] and condition is True and found in binding["values"]


ENVIRONMENT = cel.NewEnv(variables={"assertion": cel.Type.DYN})


def _evaluate(expression: str, claims: dict[str, Any]) -> Any:
    """The value, as plain Python while the expression that owns it lives; None where CEL finds an error."""
    compiled = ENVIRONMENT.compile(expression)
    value = compiled.eval(data={"assertion": claims})
    return None if value.type() == cel.Type.ERROR else value.plain_value()


def kbs_releases(document: dict[str, Any], guest: Guest) -> bool:
    snp = {
        "generation": guest.product.value,
        "evidence": {
            "measurement": guest.measurement,
            "id_key_digest": guest.id_key,
            "chip_id": guest.chip,
            "vmpl": guest.vmpl,
            "policy": {"debug_allowed": guest.debug, "migrate_ma_allowed": guest.migration},
            "reported_tcb": guest.tcb,
        },
    }
    context = trust(
        _behind_paravisor(guest) or ({"snp": snp} if guest.tee is Tee.SNP else {"tdx": _td(guest)}), issuer=guest.issuer
    )
    context["trust_context"]["attestation_summary"]["claims"]["submods"] |= _gpus(guest)
    return allows(Compiled("kbs", document, ()), context)


def old_kbs_releases(document: dict[str, Any], guest: Guest) -> bool:
    """Trustee v0.21 itself refuses reports of another privilege level than 0, and states none."""
    snp = {
        "measurement": guest.measurement,
        "chip_id": guest.chip,
        "policy_debug_allowed": guest.debug,
        "policy_migrate_ma": guest.migration,
        **{f"reported_tcb_{part}": version for part, version in guest.tcb.items()},
    }
    evidence = _behind_paravisor(guest) or ({"snp": snp} if guest.tee is Tee.SNP else {"tdx": _td(guest)})
    cpu = {"ear.status": "affirming", "ear.veraison.annotated-evidence": evidence}
    return allows(Compiled("kbs", document, ()), {"iss": guest.issuer, "submods": {"cpu0": cpu, **_gpus(guest)}})


def _behind_paravisor(guest: Guest) -> dict[str, Any]:
    """What Trustee says of Azure's guests, whose reports are all of VMPL 0; nothing of others."""
    if not guest.paravisor:
        return {}
    if guest.tee is Tee.TDX:
        return {"az-tdx-vtpm": _td(guest)}
    if guest.vmpl != 0:
        return {"none": {}}
    snp = {
        "measurement": base64.b64encode(bytes.fromhex(guest.measurement)).decode(),
        "policy_debug_allowed": str(guest.debug).lower(),
        "policy_migrate_ma": str(guest.migration).lower(),
        **{f"reported_tcb_{part}": str(version) for part, version in guest.tcb.items()},
    }
    return {"az-snp-vtpm": snp}


def _td(guest: Guest) -> dict[str, Any]:
    return {
        "quote": {"body": {"mr_td": guest.measurement}},
        "td_attributes": {"debug": guest.debug},
        "tcb_status": guest.tcb_status,
    }


def _gpus(guest: Guest) -> dict[str, Any]:
    """What Trustee says of a GPU whose claims are NVIDIA's own."""
    if guest.gpu == "none":
        return {}
    debug = "enabled" if guest.gpu == "devtools" else "disabled"
    status = "contraindicated" if guest.gpu == "off" else "affirming"
    evidence = {"nvidia": {"secboot": True, "dbgstat": debug}}
    return {"gpu0": {"ear.status": status, "ear.veraison.annotated-evidence": evidence}}


def single(policy: ReleasePolicy, **changes: Any) -> ReleasePolicy:
    return policy.model_copy(update=changes)


TARGETS = {
    "azure": Target(azure.compile_policy, azure_releases),
    "gcp, Confidential Space": Target(
        lambda policy: google.compile_policy(policy, service_accounts=(ACCOUNT,)),
        lambda document, guest: pool_releases(document, guest.issuer, confidential_space_token(guest)),
        single(POLICY, tees=(Tee.TDX,), authorities=(GOOGLE,), image_digests=IMAGES[:1]),
    ),
    "gcp, own verifier": Target(
        google.compile_policy,
        lambda document, guest: pool_releases(document, guest.issuer, result_of(guest)),
        single(POLICY, tees=(Tee.SNP,), authorities=(OWN,)),
    ),
    "kbs": Target(lambda policy: kbs.compile_policies({PATH: policy}), kbs_releases),
    "kbs, up to v0.21": Target(lambda policy: kbs.compile_policies({PATH: policy}, shape=TOKEN), old_kbs_releases),
    "dsm": Target(
        lambda policy: dsm.compile_policy(policy, DSM),
        lambda document, guest: security_manager.permits(
            document, "DECRYPT", key_id="k1", token=result_of(guest), now=NOW
        ),
    ),
}
